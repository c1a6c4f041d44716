/**
 * Messages of a Chromium that cannot use its sandbox, and of Playwright about it. Ubuntu 23.10 and newer allow the user
 * namespaces that it needs only to programs with an AppArmor profile; other systems turn them off for all users.
 */
const sandboxFailure =
  /No usable sandbox|zygote_host_impl_linux|SUID sandbox helper|setuid_sandbox_host|Chromium sandboxing failed|apparmor/i

/**
 * The fix if the output of a browser says that its sandbox does not work; otherwise null. offstream never turns the
 * sandbox off for the user: pages of the site are content of strangers.
 */
export const sandboxFix = (output: string): string | null =>
  sandboxFailure.test(output)
    ? 'install Chrome or Chromium with the package manager of your distribution, whose packages have an AppArmor profile, or allow user namespaces until the next reboot with `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`'
    : null
