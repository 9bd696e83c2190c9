/** Where Homebrew lives on Linux. Bottles embed it, so no other prefix is offered. */
export const prefix = '/home/linuxbrew/.linuxbrew';
export const cellar = '/home/linuxbrew/.linuxbrew/Cellar';

/** The loader every dynamic executable names; the link layer points it at glibc's. */
export const interpreter = '/home/linuxbrew/.linuxbrew/lib/ld.so';

/** Homebrew's default layout on Linux: the repository is below the prefix, not the prefix itself. */
export const repository = '/home/linuxbrew/.linuxbrew/Homebrew';
export const library = '/home/linuxbrew/.linuxbrew/Homebrew/Library';
