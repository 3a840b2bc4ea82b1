// A desktop VS Code on this machine, where there is one and a person sits before it.
import { SetUpError, cleanEnvironment, findOnPath, mustRun, run } from './project.mjs';

/** Set by the terminals of SSH, of VS Code's remote windows and of machines in a cloud. */
const remoteSigns = [
  ...['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY', 'VSCODE_IPC_HOOK_CLI', 'REMOTE_CONTAINERS'],
  ...['CODESPACES', 'GITPOD_WORKSPACE_ID', 'WSL_DISTRO_NAME', 'WSL_INTEROP'],
];

/** The path of the desktop's `code` command, or null in a remote terminal, without a display, or as root. */
export const findDesktop = () => {
  if (remoteSigns.some(name => process.env[name])) return null;
  if (process.platform === 'linux') {
    if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return null;
    if (process.getuid() === 0) return null; // Electron refuses to run as root
  }
  const code = findOnPath('code');
  return code?.includes('remote-cli') ? null : code;
};

/** Opens a folder in a window with its own user data and the VSIX as its only added extension. */
export const openDesktop = async (code, { userDataDir, extensionsDir, vsix, folder }) => {
  const profile = ['--user-data-dir', userDataDir, '--extensions-dir', extensionsDir];
  const options = { env: cleanEnvironment() };
  const install = [...profile, '--install-extension', vsix, '--force'];
  await mustRun('Installing the extension into VS Code', code, install, options);
  const { status } = await run(code, [...profile, '--new-window', folder], options);
  if (status !== 0)
    throw new SetUpError('VS Code did not open; "npm start -- --web" uses the browser instead.');
};
