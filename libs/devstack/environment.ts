/** The only place in this tool that reads the environment. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}
