import type { Found } from './found.js';
import type { QuietFiles } from './quiet-files.js';

/** Lines of limits.conf(5) on open files. The last line that names a user or group wins, and limits.d is read after limits.conf. */
export async function findLimits(files: QuietFiles): Promise<Found[]> {
  const folder = '/etc/security/limits.d';
  const names = (await files.list(folder)).filter((name) => name.endsWith('.conf') && !name.includes('tautline'));
  const paths = ['/etc/security/limits.conf', ...names.map((name) => `${folder}/${name}`)];
  const found = await Promise.all(
    paths.map(async (path): Promise<Found[]> => {
      const set = ((await files.text(path)) ?? '').split('\n').flatMap((line, at) => {
        const [domain, type, item, value] = line.replace(/#.*$/, '').trim().split(/\s+/);
        return item === 'nofile' && value !== undefined ? [`${domain as string} ${type as string} nofile ${value} (line ${at + 1})`] : [];
      });
      if (set.length === 0) return [];
      const advice =
        'this stays as it is; a file of limits.d that is sorted later wins for the same user, and services take their limit from systemd instead';
      return [{ who: path, what: `sets ${set.join(', ')}`, advice }];
    }),
  );
  return found.flat();
}
