import type { SceneArt } from './scene-art.js';

/** A back garden: lawn, fence, shed and a tree. */
export const garden: SceneArt = {
  groundY: 300,
  figureHeight: 128,
  doorX: 520,
  day: `
  <defs>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#7fb2dd"/><stop offset="1" stop-color="#dfeaf0"/></linearGradient>
    <linearGradient id="lawn" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#8aa765"/><stop offset="1" stop-color="#5c7d41"/></linearGradient>
    <pattern id="planks" width="26" height="80" patternUnits="userSpaceOnUse"><rect width="24" height="80" fill="#9b7b58"/><rect x="24" width="2" height="80" fill="#6f563c"/></pattern>
    <pattern id="grass" width="14" height="10" patternUnits="userSpaceOnUse"><path d="M2 9 L4 3 M9 10 L8 5 M12 8 L13 4" stroke="#4f6f38" stroke-width="1" opacity=".55"/></pattern>
  </defs>
  <rect width="640" height="360" fill="url(#sky)"/>
  <path d="M0 118 Q70 84 140 108 T300 100 T460 108 T640 96 V180 H0Z" fill="#7c9a80"/>
  <rect x="0" y="128" width="640" height="72" fill="url(#planks)"/><rect x="0" y="138" width="640" height="6" fill="#7d6144"/><rect x="0" y="182" width="640" height="6" fill="#7d6144"/>
  <rect x="0" y="198" width="640" height="162" fill="url(#lawn)"/><rect x="0" y="198" width="640" height="162" fill="url(#grass)"/>
  <path d="M0 322 Q160 286 330 300 T640 268 V298 Q470 318 330 330 T0 356Z" fill="#b7a98c"/><path d="M0 328 Q160 294 330 306 T640 276" stroke="#a4967a" stroke-width="2" fill="none"/>
  <rect x="486" y="112" width="126" height="112" fill="#7a8b8f"/><path d="M474 116 L549 66 L624 116Z" fill="#4d4f52"/><rect x="504" y="146" width="44" height="78" fill="#56676b"/><rect x="562" y="146" width="36" height="30" fill="#d8e4e6"/><path d="M580 146V176M562 161H598" stroke="#7a8b8f" stroke-width="3"/><circle cx="541" cy="188" r="3" fill="#d9c27a"/>
  <path d="M98 226 L106 120 L122 120 L128 226Z" fill="#5e4632"/><circle cx="112" cy="84" r="58" fill="#55793f"/><circle cx="70" cy="104" r="40" fill="#4d7038"/><circle cx="152" cy="108" r="42" fill="#618648"/><circle cx="116" cy="62" r="36" fill="#6b9150"/>
  <path d="M214 214 Q236 190 258 212 Q282 188 304 212 Q326 194 344 216 V226 H210Z" fill="#5d7f45"/>
  <g fill="#d5607a"><circle cx="232" cy="206" r="5"/><circle cx="262" cy="208" r="5"/><circle cx="300" cy="206" r="5"/></g><g fill="#e7c14f"><circle cx="246" cy="212" r="4"/><circle cx="284" cy="208" r="4"/><circle cx="322" cy="210" r="4"/></g>
  <rect x="388" y="204" width="62" height="8" fill="#8b6a49"/><rect x="392" y="212" width="7" height="22" fill="#6f5238"/><rect x="439" y="212" width="7" height="22" fill="#6f5238"/><rect x="388" y="186" width="62" height="7" fill="#8b6a49"/>`,
  lamp: { x: 556, y: 120, radius: 190 },
};
