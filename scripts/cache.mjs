// The folder of downloads that all clones share, and its one way of filling it.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  renameSync,
  statSync,
  utimesSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const home = () => process.env.HOME || os.userInfo().homedir;

/** The user's cache folder of this platform; XDG_CACHE_HOME counts only when absolute, as its specification says. */
const userCacheFolder = () => {
  if (process.platform === 'darwin') return path.join(home(), 'Library', 'Caches');
  if (process.platform === 'win32')
    return process.env.LOCALAPPDATA || path.join(os.homedir(), 'AppData', 'Local');
  const xdg = process.env.XDG_CACHE_HOME;
  return xdg && path.isAbsolute(xdg) ? xdg : path.join(home(), '.cache');
};

/** LAYER_LENS_CACHE, else `layer-lens` in the user's cache folder. It exists afterwards. */
export const cacheFolder = () => {
  const folder = path.resolve(
    process.env.LAYER_LENS_CACHE || path.join(userCacheFolder(), 'layer-lens'),
  );
  mkdirSync(folder, { recursive: true });
  return folder;
};

const staleAfterMs = 30_000;
const age = file => Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());

/**
 * Runs `work` while no other process that asks for the same lock does. The holder touches the lock
 * folder every few seconds, so a lock whose holder died is taken over after 30 s, whatever machine
 * or container it ran in.
 */
export const withLock = async (name, work) => {
  const lock = path.join(cacheFolder(), `${name}.lock`);
  for (let told = false; ; await sleep(250)) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (age(lock) > staleAfterMs) rmSync(lock, { recursive: true, force: true });
    else if (!told) {
      console.log(`Waiting for another run that is preparing ${name} …`);
      told = true;
    }
  }
  const release = () => rmSync(lock, { recursive: true, force: true });
  const heartbeat = setInterval(() => {
    const now = new Date();
    if (existsSync(lock)) utimesSync(lock, now, now);
  }, 5_000);
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.off('exit', release);
    release();
  }
};

/** Removes what interrupted runs left: build folders of this entry that nobody has touched for an hour. */
const removeLeftovers = name => {
  for (const entry of readdirSync(cacheFolder()))
    if (entry.startsWith(`${name}.partial-`) && age(path.join(cacheFolder(), entry)) > 3_600_000)
      rmSync(path.join(cacheFolder(), entry), { recursive: true, force: true });
};

/**
 * The folder `name` of the cache, made by `fill(folder)` if it is not there. It appears whole or not
 * at all: it is filled under another name and renamed, so that an interrupted or a second run never
 * meets half of it.
 */
export const cached = async (name, fill) => {
  const folder = path.join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  return withLock(name, async () => {
    if (existsSync(folder)) return folder;
    removeLeftovers(name);
    const partial = `${folder}.partial-${process.pid}-${Date.now()}`;
    const discard = () => rmSync(partial, { recursive: true, force: true });
    process.once('exit', discard);
    mkdirSync(partial);
    try {
      await fill(partial);
      if (!existsSync(folder)) renameSync(partial, folder);
    } finally {
      process.off('exit', discard);
      discard();
    }
    return folder;
  });
};
