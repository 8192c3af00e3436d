import { speckle, type SceneArt } from './scene-art.js';

/** A living room with a large window. */
export const room: SceneArt = {
  groundY: 336,
  figureHeight: 210,
  doorX: 430,
  day: `
  <defs>
    <linearGradient id="plaster" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#d8d4ca"/><stop offset="1" stop-color="#bcb7ab"/></linearGradient>
    <linearGradient id="boards" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#8a6844"/><stop offset="1" stop-color="#a57d52"/></linearGradient>
    <pattern id="planks" width="150" height="22" patternUnits="userSpaceOnUse"><path d="M0 0H150M0 11H150M40 0V11M110 11V22" stroke="#6b4e31" stroke-width="1.5" fill="none"/></pattern>
    ${speckle('rough', 0.5, 5)}${speckle('soft', 0.012, 9)}
  </defs>
  <rect width="640" height="250" fill="url(#plaster)"/><rect width="640" height="250" filter="url(#soft)" opacity=".25"/>
  <rect y="250" width="640" height="110" fill="url(#boards)"/><rect y="250" width="640" height="110" fill="url(#planks)" opacity=".7"/><rect y="250" width="640" height="110" filter="url(#soft)" opacity=".3"/>
  <rect y="242" width="640" height="9" fill="#e9e6de"/>
  <rect x="62" y="28" width="206" height="148" fill="#f2f0ea"/><rect x="70" y="36" width="190" height="132" fill="#b9cbd8"/><path d="M70 120 Q120 96 170 112 T260 104 V168 H70Z" fill="#7f9076"/>
  <path d="M133 36V168M197 36V168M70 102H260" stroke="#f2f0ea" stroke-width="7"/><rect x="54" y="174" width="222" height="10" fill="#dcd8ce"/>
  <rect x="96" y="192" width="132" height="50" fill="#e6e3da"/><path d="M104 196V240M118 196V240M132 196V240M146 196V240M160 196V240M174 196V240M188 196V240M202 196V240M216 196V240" stroke="#cbc7bc" stroke-width="5"/>
  <rect x="330" y="60" width="88" height="60" fill="#4c4339"/><rect x="336" y="66" width="76" height="48" fill="#a9b3a0"/><path d="M336 100 Q360 78 380 94 T412 88 V114 H336Z" fill="#6f7f63"/>
  <rect x="520" y="40" width="100" height="208" fill="#6b5138"/><path d="M520 92H620M520 142H620M520 194H620" stroke="#4f3b28" stroke-width="5"/>
  <g><rect x="528" y="52" width="10" height="38" fill="#8a3f3a"/><rect x="540" y="56" width="8" height="34" fill="#c2b280"/><rect x="550" y="50" width="12" height="40" fill="#3d566b"/><rect x="566" y="58" width="9" height="32" fill="#a8a59a"/><rect x="580" y="54" width="14" height="36" fill="#53684f"/><rect x="530" y="104" width="16" height="36" fill="#2f3a48"/><rect x="550" y="108" width="10" height="32" fill="#b58a4c"/><rect x="586" y="100" width="12" height="40" fill="#7a4a52"/><rect x="540" y="160" width="44" height="32" fill="#b9ac96"/></g>
  <path d="M300 214 Q300 196 322 196 H470 Q492 196 492 214 V286 H300Z" fill="#5d6b72"/><path d="M286 232 Q286 220 300 220 V292 H286ZM492 220 Q506 220 506 232 V292 H492Z" fill="#515e65"/><rect x="304" y="240" width="184" height="32" rx="6" fill="#6c7b83"/><path d="M396 240V272" stroke="#515e65" stroke-width="2"/><rect x="296" y="272" width="202" height="20" fill="#4a565c"/>
  <rect x="318" y="206" width="46" height="36" rx="8" fill="#b5793f"/>
  <ellipse cx="210" cy="318" rx="150" ry="30" fill="#8d8378"/><ellipse cx="210" cy="318" rx="150" ry="30" filter="url(#rough)" opacity=".3"/><ellipse cx="210" cy="318" rx="120" ry="22" fill="none" stroke="#a89d8e" stroke-width="5"/>`,
  lamp: { x: 460, y: 30, radius: 260 },
};
