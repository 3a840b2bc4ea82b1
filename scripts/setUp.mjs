// What has to be there before anything else runs: the dependencies and the build.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { announce, mustRun, npm, root } from './project.mjs';

const readJson = file => JSON.parse(readFileSync(file, 'utf8'));

/** True when a locked package is made for this machine. Which libc it is for is npm's to decide. */
const fitsHere = ({ os: systems, cpu, libc }) =>
  !libc &&
  (!systems || systems.includes(process.platform)) &&
  (!cpu || cpu.includes(process.arch)) &&
  !(systems ?? []).includes(`!${process.platform}`);

/**
 * True when node_modules holds what package-lock.json asks for: npm's own record of what it
 * installed, which it writes last, names the same version of every package.
 */
export const dependenciesAreCurrent = () => {
  const record = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readJson(record).packages;
  const locked = Object.entries(readJson(path.join(root, 'package-lock.json')).packages);
  return locked.every(([where, entry]) => {
    if (where === '') return true;
    const found = installed[where];
    if (!found) return entry.optional === true && !(entry.os && fitsHere(entry));
    return found.version === entry.version;
  });
};

/** Installs exactly what package-lock.json names, development tools included, without running scripts of packages. */
export const ensureDependencies = async () => {
  if (dependenciesAreCurrent()) return;
  await announce('Installing dependencies', () =>
    npm('npm ci', ['ci', '--ignore-scripts', '--include=dev', '--include=optional'], {
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    }),
  );
};

/** Builds dist/. It takes about as long as finding out whether it is needed. */
export const ensureBuild = () =>
  mustRun('The build', process.execPath, [path.join(root, 'scripts', 'build.mjs')]);
