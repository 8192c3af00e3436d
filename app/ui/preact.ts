/** The page's view library, imported here only; the compiler adds its JSX runtime. */
export { createContext, render, type ComponentChildren, type ComponentType, type JSX, type RefObject } from 'preact';
export { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
