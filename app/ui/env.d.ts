/** Set by the build: true only in the page that the demo serves. */
declare const __DEMO__: boolean;
