/**
 * Imported for what it does, by a program that runs as it is written, or is built. Pulumi's runner looks up source maps
 * for each stack trace, and its SDK takes one for each promise: a tenth of an update. Lines in errors are those of the
 * files that run, from then on.
 */
Error.prepareStackTrace = undefined as never;
