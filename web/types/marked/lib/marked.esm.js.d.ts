// The bundler needs the file that exports names; its types are those of the package.
export * from "/usr/share/nodejs/@types/marked"
