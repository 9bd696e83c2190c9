/** How to log in to one registry. They are sent to it, to where it says tokens are, and nowhere else. */
export type RegistryCredentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** A token of the registry, sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string };

/** The credentials of now; asked for when a registry wants some, so that they can be renewed. */
export type RegistryCredentialsSource = () =>
  | RegistryCredentials
  | undefined
  | Promise<RegistryCredentials | undefined>;
