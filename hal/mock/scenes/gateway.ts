import { speckle, type SceneArt } from './scene-art.js';

/** A yard with a gateway in its far wall: who stands there is small. */
export const gateway: SceneArt = {
  groundY: 262,
  figureHeight: 96,
  doorX: 330,
  day: `
  <defs>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#9db7cc"/><stop offset="1" stop-color="#dbe3e4"/></linearGradient>
    <linearGradient id="yard" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#837f76"/><stop offset="1" stop-color="#a39d90"/></linearGradient>
    <linearGradient id="wall" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#9a8d7a"/><stop offset="1" stop-color="#857a69"/></linearGradient>
    <pattern id="stones" width="46" height="20" patternUnits="userSpaceOnUse"><path d="M0 0H46M0 10H46M0 0V10M23 10V20" stroke="#6f6556" stroke-width="1.2" fill="none"/></pattern>
    ${speckle('rough', 0.09, 3)}${speckle('soil', 0.035, 7)}
  </defs>
  <rect width="640" height="360" fill="url(#sky)"/>
  <path d="M0 96 Q60 40 120 70 T230 58 Q300 26 350 64 T470 48 Q540 20 580 62 T640 60 V170 H0Z" fill="#4c5f47"/>
  <path d="M0 96 Q60 40 120 70 T230 58 Q300 26 350 64 T470 48 Q540 20 580 62 T640 60 V170 H0Z" filter="url(#rough)" opacity=".6"/>
  <rect x="0" y="118" width="640" height="70" fill="url(#wall)"/><rect x="0" y="118" width="640" height="70" fill="url(#stones)" opacity=".6"/>
  <rect x="0" y="118" width="640" height="70" filter="url(#rough)" opacity=".35"/>
  <path d="M0 112H640V120H0Z" fill="#6d6354"/>
  <rect x="292" y="112" width="84" height="78" fill="#5b6257"/><path d="M292 190 L310 150 H358 L376 190Z" fill="#77746a"/><path d="M300 150 Q330 132 368 152 V134 H300Z" fill="#49584a"/>
  <rect x="282" y="100" width="14" height="92" fill="#a2957f"/><rect x="372" y="100" width="14" height="92" fill="#a2957f"/><rect x="279" y="95" width="20" height="8" fill="#877b68"/><rect x="369" y="95" width="20" height="8" fill="#877b68"/>
  <path d="M296 122 L262 132 V196 L296 190Z" fill="#40443f"/><path d="M268 132V194M274 130V193M280 128V192M287 126V191" stroke="#62675f" stroke-width="1.6"/>
  <rect x="0" y="188" width="640" height="172" fill="url(#yard)"/><rect x="0" y="188" width="640" height="172" filter="url(#soil)" opacity=".5"/>
  <path d="M300 190 H370 L520 360 H150Z" fill="#8f8a7f" opacity=".7"/><path d="M150 360 L300 190M520 360 L370 190" stroke="#7a756a" stroke-width="2"/>
  <rect x="40" y="142" width="150" height="66" fill="#6d5f52"/><path d="M30 146 L115 104 L200 146Z" fill="#4d453e"/><rect x="60" y="160" width="40" height="48" fill="#3d3731"/><rect x="126" y="160" width="40" height="26" fill="#262b2f"/>
  <rect x="470" y="168" width="20" height="34" rx="3" fill="#3e4a3f"/><rect x="494" y="166" width="22" height="36" rx="3" fill="#4a4436"/>
  <path d="M548 240 Q560 190 590 196 Q630 186 640 220 V262 H548Z" fill="#4e6645"/><path d="M548 240 Q560 190 590 196 Q630 186 640 220 V262 H548Z" filter="url(#rough)" opacity=".5"/>`,
  lamp: { x: 378, y: 104, radius: 170 },
};
