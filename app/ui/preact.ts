/** The page's view library, imported here and nowhere else; the compiler adds its JSX runtime by itself. */
export { createContext, render, type JSX } from 'preact';
export { useContext, useEffect, useRef, useState } from 'preact/hooks';
