import { z } from 'zod';
import { admission } from '#domain/admission-rule.js';
import { absoluteFile, configMapKeyRef, cataloguePath, secretKeyRef } from '#domain/spec-fields.js';
import { isCommitId, isRefName } from './ref-name.js';

const URL_LIMIT = 2048;
const REF_LIMIT = 255;

const AMBIGUOUS_AT =
  'must have "@" only once, after a user name and password without "/", "?", "#", "@" and "\\": percent-encode these, or use git.auth';

/**
 * Returns whether it is clear which part of a URL is the user information, which is removed before the URL is shown. In
 * `https://user:pa/ss@host/x`, the password would be mistaken for part of the path.
 */
function hasClearUserInfo(repository: string): boolean {
  return !repository.includes('://') || /^[^@:/]*:\/\/([^@/?#\\\s]*@)?[^@\\\s]*$/.test(repository);
}

const ref = z.string().min(1).max(REF_LIMIT);
const refName = ref.refine(isRefName, 'is not a name that a branch or a tag can have: see git check-ref-format');
const commitId = ref.refine(
  isCommitId,
  'must be a full commit id, as git rev-parse prints it: a short id may become ambiguous',
);

const authFields = z.strictObject({
  username: z
    .string()
    .min(1)
    .max(REF_LIMIT)
    .optional()
    .describe('username is the user name for HTTP Basic authentication.'),
  passwordSecretRef: secretKeyRef
    .optional()
    .describe('passwordSecretRef refers to the password or token for HTTP Basic authentication.'),
  sshKeySecretRef: secretKeyRef.optional().describe('sshKeySecretRef refers to the unencrypted private key for ssh.'),
  knownHostsSecretRef: secretKeyRef
    .optional()
    .describe('knownHostsSecretRef refers to the host keys that ssh trusts, as printed by ssh-keyscan.'),
});

const serverAuthFields = authFields.extend({
  passwordFile: absoluteFile.optional().describe('File with the password or token, instead of a Secret.'),
});

type AuthFields = z.output<typeof serverAuthFields>;

function authIsWhole(auth: AuthFields, context: z.core.$RefinementCtx): void {
  const { username, passwordSecretRef, passwordFile, sshKeySecretRef, knownHostsSecretRef } = auth;
  const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  const isSsh = sshKeySecretRef !== undefined || knownHostsSecretRef !== undefined;
  const password = passwordSecretRef ?? passwordFile;
  if (passwordSecretRef && passwordFile)
    refuse('passwordFile', 'cannot be combined with passwordSecretRef: use one of them');
  if (!username && (password || !isSsh)) refuse('username', 'is required together with a password');
  if (!password && (username || !isSsh)) refuse('passwordSecretRef', 'is required together with a user name');
  if (isSsh && !sshKeySecretRef) refuse('sshKeySecretRef', 'is required together with known hosts');
  if (isSsh && !knownHostsSecretRef) refuse('knownHostsSecretRef', 'is required: without it ssh trusts any host');
}

const authAdmission = admission(
  {
    rule: 'has(self.passwordSecretRef) || has(self.sshKeySecretRef)',
    message: 'needs username and passwordSecretRef for https, or sshKeySecretRef and knownHostsSecretRef for ssh',
  },
  {
    rule: 'has(self.username) == has(self.passwordSecretRef)',
    message: 'username and passwordSecretRef must be set together',
  },
  {
    rule: 'has(self.sshKeySecretRef) == has(self.knownHostsSecretRef)',
    message: 'sshKeySecretRef needs knownHostsSecretRef: without it ssh trusts any host',
  },
);

const AUTH = 'auth holds the credentials for the repository.';

/** The `git` block of a source. */
export const gitSpec = z
  .strictObject({
    repository: z
      .string()
      .max(URL_LIMIT)
      .regex(
        /^(file:\/\/\/|https?:\/\/|\w[\w.-]*@|ssh:\/\/|git:\/\/)/,
        'must start with https://, http:// or ssh://, or have the form user@host:path: use an address that git clone accepts',
      )
      .refine(hasClearUserInfo, AMBIGUOUS_AT)
      .meta(
        admission({
          // A backslash is treated as a slash in URLs.
          rule: "!self.contains('://') || self.matches(r'^[^@:/]*://([^@/?#\\\\]*@)?[^@\\\\]*$')",
          message: AMBIGUOUS_AT,
        }),
      )
      .describe('repository is the URL of the repository, as git clone accepts it.'),
    branch: refName.optional().describe('branch is the branch to follow.'),
    tag: refName.optional().describe('tag is the tag to read. It takes precedence over branch.'),
    commit: commitId
      .optional()
      .describe('commit is the full commit id to read. It takes precedence over tag and branch.'),
    path: cataloguePath
      .default('registry.json')
      .describe(
        'path is the path of the registry file, relative to the root of the repository; or that of a folder, or a pattern such as servers/*/server.json, of files with one server each.',
      ),
    auth: authFields.superRefine(authIsWhole).meta(authAdmission).optional().describe(AUTH),
    caCertRef: configMapKeyRef
      .optional()
      .describe('caCertRef refers to certificate authorities (PEM) that replace those of the system.'),
  })
  .describe('git reads a file or a folder in a git repository.');

/** The `git` block in the configuration of a server, which may refer to files of the server. */
export const gitServerSpec = gitSpec.extend({
  auth: serverAuthFields.superRefine(authIsWhole).optional().describe(AUTH),
});

export type GitSpec = z.output<typeof gitServerSpec>;
