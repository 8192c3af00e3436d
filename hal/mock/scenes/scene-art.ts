/** A scene of the mock camera: an SVG drawing of 640×360 pixels by day, and the places of things in it. */
export interface SceneArt {
  readonly day: string;
  /** Height of the ground, in pixels from the top. */
  readonly groundY: number;
  /** Height of a person who walks across, in pixels. */
  readonly figureHeight: number;
  /** Where a visitor stops, in pixels from the left. */
  readonly doorX: number;
  readonly lamp: { readonly x: number; readonly y: number; readonly radius: number };
}

export const SCENE_WIDTH = 640;
export const SCENE_HEIGHT = 360;

export type SceneLight = 'day' | 'night' | 'night-lamp' | 'day-lamp';

/** Draws a scene in one light. Night pictures have the vignette of an infrared lamp; the renderer makes them grey. */
export function sceneSvg(art: SceneArt, light: SceneLight): string {
  const glow = light.endsWith('lamp')
    ? `<radialGradient id="glow" gradientUnits="userSpaceOnUse" cx="${String(art.lamp.x)}" cy="${String(art.lamp.y)}" r="${String(art.lamp.radius)}">
        <stop offset="0" stop-color="#fff3c9" stop-opacity=".95"/><stop offset=".25" stop-color="#ffe7a6" stop-opacity=".55"/><stop offset="1" stop-color="#ffd98a" stop-opacity="0"/></radialGradient>`
    : '';
  const night = light.startsWith('night')
    ? `<rect width="640" height="360" fill="#05070c" opacity=".62"/>
       <radialGradient id="infrared" cx=".5" cy=".62" r=".75"><stop offset="0" stop-color="#ffffff" stop-opacity=".22"/><stop offset="1" stop-color="#000000" stop-opacity=".35"/></radialGradient>
       <rect width="640" height="360" fill="url(#infrared)"/>`
    : '';
  const lamp = glow === '' ? '' : '<rect width="640" height="360" fill="url(#glow)"/>';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360" viewBox="0 0 640 360">${glow === '' ? '' : `<defs>${glow}</defs>`}${art.day}${night}${lamp}</svg>`;
}

/** Returns an SVG filter that fills what it is put on with grey and darker specks: no real surface is even. */
export function speckle(id: string, frequency: number, seed: number): string {
  return `<filter id="${id}" x="0" y="0" width="1" height="1"><feTurbulence type="fractalNoise" baseFrequency="${String(frequency)}" numOctaves="4" seed="${String(seed)}" result="noise"/><feColorMatrix in="noise" type="matrix" values="0 0 0 0 0.1  0 0 0 0 0.1  0 0 0 0 0.1  1.6 0 0 0 -0.55"/><feComposite in2="SourceGraphic" operator="in"/></filter>`;
}
