import type { SceneArt } from './scene-art.js';

/** A drive with a parked car in front of a garage. */
export const driveway: SceneArt = {
  groundY: 330,
  figureHeight: 146,
  doorX: 220,
  day: `
  <defs>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#a9b9c9"/><stop offset="1" stop-color="#e9e7df"/></linearGradient>
    <linearGradient id="asphalt" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#86868a"/><stop offset="1" stop-color="#636368"/></linearGradient>
    <linearGradient id="paint" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#b4483f"/><stop offset="1" stop-color="#7f2d27"/></linearGradient>
  </defs>
  <rect width="640" height="360" fill="url(#sky)"/>
  <path d="M430 150 Q480 96 540 120 T640 104 V220 H430Z" fill="#6f8a6a"/>
  <rect x="0" y="64" width="440" height="170" fill="#d9d3c7"/><path d="M-10 68 L210 4 L452 68Z" fill="#6a5146"/><path d="M-10 68 L452 68 V78 H-10Z" fill="#54403a"/>
  <rect x="128" y="112" width="186" height="122" fill="#f2eee6"/><g stroke="#cfc8ba" stroke-width="3"><path d="M128 136H314M128 160H314M128 184H314M128 208H314"/></g><rect x="128" y="112" width="186" height="122" fill="none" stroke="#b9b0a0" stroke-width="4"/>
  <rect x="42" y="112" width="52" height="56" fill="#48596a"/><path d="M68 112V168M42 140H94" stroke="#f2eee6" stroke-width="4"/><rect x="42" y="112" width="52" height="56" fill="none" stroke="#f2eee6" stroke-width="5"/>
  <rect x="352" y="116" width="54" height="118" fill="#5a6f52"/><circle cx="396" cy="178" r="4" fill="#d9c27a"/><rect x="362" y="126" width="34" height="30" fill="#3f5140"/>
  <path d="M0 230 H640 V360 H0Z" fill="#7d9664"/><path d="M110 232 H332 L520 360 H-20Z" fill="url(#asphalt)"/><path d="M412 232 H640 V262 H470Z" fill="#6f8a58"/>
  <g transform="translate(16 0)"><ellipse cx="86" cy="300" rx="112" ry="14" fill="#3c3c40" opacity=".55"/><path d="M-22 286 Q-22 258 12 254 L40 226 Q48 218 66 218 L118 218 Q134 218 146 230 L168 254 Q196 258 198 276 L198 294 H-22Z" fill="url(#paint)"/><path d="M50 232 Q54 227 64 227 L88 227 V253 H32Z" fill="#34424c"/><path d="M96 227 H116 Q128 227 136 236 L150 253 H96Z" fill="#34424c"/><circle cx="22" cy="296" r="19" fill="#232326"/><circle cx="22" cy="296" r="9" fill="#8c8c90"/><circle cx="152" cy="296" r="19" fill="#232326"/><circle cx="152" cy="296" r="9" fill="#8c8c90"/><rect x="186" y="266" width="12" height="9" fill="#f1d98a"/></g>
  <rect x="556" y="196" width="8" height="60" fill="#6f5238"/><rect x="540" y="180" width="42" height="26" rx="3" fill="#39495a"/><rect x="546" y="188" width="30" height="4" fill="#8ea0b0"/>
  <path d="M470 240 Q494 214 520 238 Q544 222 560 246 Q600 232 640 250 V276 H470Z" fill="#5d7a4b"/>`,
  lamp: { x: 330, y: 104, radius: 180 },
};
