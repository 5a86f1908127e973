/**
 * Whether a kernel's release (`6.18.44-fc`, `4.9.0-13-amd64`) is this version or a later one. Releases that do not begin
 * with two numbers count as later: their keys are looked at in any case.
 */
export function releaseAtLeast(release: string, version: `${number}.${number}`): boolean {
  const found = /^(\d+)\.(\d+)/.exec(release);
  if (!found) return true;
  const [major = 0, minor = 0] = found.slice(1).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
