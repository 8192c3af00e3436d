import { speckle, type SceneArt } from './scene-art.js';

/** A street in front of a row of houses, seen from a first floor. */
export const street: SceneArt = {
  groundY: 318,
  figureHeight: 92,
  doorX: 250,
  day: `
  <defs>
    <linearGradient id="road" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#6a6b6e"/><stop offset="1" stop-color="#7b7c7f"/></linearGradient>
    <linearGradient id="plaster" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#c8bda9"/><stop offset="1" stop-color="#b2a791"/></linearGradient>
    <pattern id="bricks" width="20" height="10" patternUnits="userSpaceOnUse"><path d="M0 0H20M0 5H20M0 0V5M10 5V10" stroke="#7d5246" stroke-width=".9" fill="none"/></pattern>
    <pattern id="paving" width="34" height="14" patternUnits="userSpaceOnUse"><path d="M0 0H34M0 7H34M8 0V7M25 7V14" stroke="#77746d" stroke-width="1" fill="none"/></pattern>
    ${speckle('rough', 0.4, 11)}${speckle('worn', 0.02, 13)}
  </defs>
  <rect width="640" height="170" fill="url(#plaster)"/><rect x="214" width="208" height="170" fill="#9a6a5a"/><rect x="214" width="208" height="170" fill="url(#bricks)"/><rect width="640" height="170" filter="url(#worn)" opacity=".25"/>
  <g fill="#33404a"><rect x="26" y="20" width="44" height="58"/><rect x="116" y="20" width="44" height="58"/><rect x="242" y="22" width="40" height="54"/><rect x="346" y="22" width="40" height="54"/><rect x="456" y="20" width="46" height="58"/><rect x="556" y="20" width="46" height="58"/><rect x="26" y="104" width="60" height="46"/><rect x="456" y="102" width="84" height="50"/></g>
  <g stroke="#efe9dc" stroke-width="3" fill="none"><path d="M26 20H70V78H26ZM48 20V78M116 20H160V78H116ZM138 20V78M242 22H282V76H242ZM262 22V76M346 22H386V76H346ZM366 22V76M456 20H502V78H456ZM479 20V78M556 20H602V78H556ZM579 20V78M26 104H86V150H26ZM456 102H540V152H456Z"/></g>
  <rect x="118" y="100" width="38" height="70" fill="#4d5c50"/><rect x="298" y="100" width="36" height="70" fill="#3f4f6a"/><rect x="566" y="100" width="38" height="70" fill="#6b3f38"/>
  <rect y="168" width="640" height="30" fill="#a09b91"/><rect y="168" width="640" height="30" fill="url(#paving)"/><rect y="196" width="640" height="6" fill="#c4c0b6"/>
  <rect y="202" width="640" height="104" fill="url(#road)"/><rect y="202" width="640" height="104" filter="url(#rough)" opacity=".3"/><rect y="202" width="640" height="104" filter="url(#worn)" opacity=".35"/>
  <path d="M0 254H60M110 254H170M220 254H280M330 254H390M440 254H500M550 254H610" stroke="#d8d6cf" stroke-width="4"/>
  <rect y="304" width="640" height="6" fill="#c4c0b6"/><rect y="310" width="640" height="50" fill="#9b968c"/><rect y="310" width="640" height="50" fill="url(#paving)"/>
  <rect x="198" y="60" width="6" height="132" fill="#3a3d40"/><path d="M190 60H212L208 46H194Z" fill="#55595c"/><circle cx="60" cy="276" r="12" fill="#565759"/>
  <rect x="420" y="150" width="12" height="44" fill="#56673f"/><path d="M426 20 Q470 40 452 84 Q466 120 426 150 Q388 122 402 84 Q384 44 426 20Z" fill="#5c7749"/><path d="M426 20 Q470 40 452 84 Q466 120 426 150 Q388 122 402 84 Q384 44 426 20Z" filter="url(#rough)" opacity=".5"/>`,
  lamp: { x: 201, y: 52, radius: 220 },
};
