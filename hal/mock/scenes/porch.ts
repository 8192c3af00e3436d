import type { SceneArt } from './scene-art.js';

/** A front door under a small roof, with a path across the picture. */
export const porch: SceneArt = {
  groundY: 322,
  figureHeight: 168,
  doorX: 452,
  day: `
  <defs>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#9fc4de"/><stop offset="1" stop-color="#e6eef0"/></linearGradient>
    <linearGradient id="wall" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#cfc5b4"/><stop offset="1" stop-color="#b4a893"/></linearGradient>
    <linearGradient id="path" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#9a978f"/><stop offset="1" stop-color="#7d7a73"/></linearGradient>
    <linearGradient id="door" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#2f5d62"/><stop offset="1" stop-color="#3b747a"/></linearGradient>
    <pattern id="bricks" width="44" height="22" patternUnits="userSpaceOnUse"><path d="M0 0H44M0 11H44M0 0V11M22 11V22" stroke="#a2967f" stroke-width="1.4" fill="none"/></pattern>
    <pattern id="slabs" width="90" height="46" patternUnits="userSpaceOnUse"><path d="M0 0H90M0 23H90M0 0V23M45 23V46" stroke="#6d6a63" stroke-width="1.6" fill="none"/></pattern>
  </defs>
  <rect width="640" height="360" fill="url(#sky)"/>
  <path d="M0 190 Q40 120 90 150 T190 140 V260 H0Z" fill="#6d8a68"/><path d="M0 215 Q60 165 120 190 T215 190 V270 H0Z" fill="#56754f"/>
  <rect x="196" y="0" width="444" height="268" fill="url(#wall)"/><rect x="196" y="0" width="444" height="268" fill="url(#bricks)" opacity=".55"/>
  <path d="M180 62 L640 34 V0 H180Z" fill="#5b4a3f"/><path d="M180 62 L640 34 V44 L180 74Z" fill="#463930"/>
  <rect x="236" y="112" width="112" height="92" fill="#f1ece2"/><rect x="244" y="120" width="96" height="76" fill="#3d4f5a"/><path d="M292 120V196M244 158H340" stroke="#f1ece2" stroke-width="5"/><path d="M250 126 L284 126 L250 160Z" fill="#6f8593" opacity=".6"/>
  <rect x="404" y="88" width="96" height="182" fill="#e9e2d4"/><rect x="412" y="96" width="80" height="174" fill="url(#door)"/><rect x="424" y="110" width="56" height="44" fill="#24484c"/><rect x="424" y="166" width="24" height="84" fill="#2a5358"/><rect x="456" y="166" width="24" height="84" fill="#2a5358"/><circle cx="482" cy="188" r="4.5" fill="#d9b25f"/>
  <rect x="392" y="266" width="120" height="14" fill="#8f8b83"/><rect x="380" y="280" width="144" height="12" fill="#7f7b73"/><rect x="418" y="262" width="68" height="6" fill="#6b4f3a"/>
  <rect x="526" y="110" width="10" height="16" fill="#2c2c2c"/><path d="M520 126h22l-4 26h-14z" fill="#3a3a3a"/><path d="M524 130h14l-3 18h-8z" fill="#cfd3c4"/>
  <rect x="544" y="222" width="52" height="48" rx="4" fill="#8a5a44"/><path d="M570 224 C540 200 548 168 560 160 C566 180 572 170 576 156 C590 176 600 200 574 224Z" fill="#4d7048"/>
  <rect x="0" y="268" width="640" height="92" fill="url(#path)"/><rect x="0" y="268" width="640" height="92" fill="url(#slabs)" opacity=".5"/>
  <path d="M0 250 H210 L150 292 H0Z" fill="#6f8f5c"/><path d="M0 258 H190 L140 290 H0Z" fill="#64854f"/>
  <path d="M0 340 Q80 326 170 344 T330 346 T520 344 T640 340 V360 H0Z" fill="#5f7d4c"/>`,
  lamp: { x: 531, y: 141, radius: 210 },
};
