import type { FigureLook, Pose } from './figure.js';
import { WALK_PHASES } from './figure.js';

const PAINTS = ['#b4483f', '#c9ccd1', '#2f4a6b', '#3c3f45', '#e4e1da', '#6d7f5c'];

function svg(width: number, height: number, units: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${String(Math.round(width))}" height="${String(Math.round(height))}" viewBox="${units}">${content}</svg>`;
}

/** Draws a car from its side, facing right. */
export function carSvg(look: number, height: number): string {
  const paint = PAINTS[look % PAINTS.length] ?? '#888888';
  const wheel = (x: number): string =>
    `<circle cx="${String(x)}" cy="78" r="19" fill="#1d1d20"/><circle cx="${String(x)}" cy="78" r="10" fill="#92949a"/><path d="M${String(x)} 69V87M${String(x - 9)} 78H${String(x + 9)}" stroke="#55565b" stroke-width="3"/>`;
  return svg(
    height * 2.36,
    height,
    '0 0 236 100',
    `<ellipse cx="118" cy="94" rx="116" ry="6" fill="#000000" opacity=".4"/>
     <path d="M4 70 Q4 46 36 42 L64 14 Q72 7 90 7 L140 7 Q158 7 170 18 L192 40 Q226 44 230 62 L231 80 H5Z" fill="${paint}"/>
     <path d="M4 62 H231 L231 80 H5Z" fill="#000000" opacity=".16"/>
     <path d="M74 20 Q79 14 90 14 L112 14 V41 H54Z" fill="#2b363f"/><path d="M120 14 H140 Q152 14 162 23 L180 41 H120Z" fill="#34424c"/>
     <path d="M80 18 L104 18 L84 40 H62Z" fill="#8fa3b0" opacity=".45"/>
     <path d="M116 14V76M56 44V74M178 44V74" stroke="#000000" stroke-width="1.5" opacity=".35"/>
     <rect x="126" y="48" width="12" height="3" fill="#22262b"/><rect x="66" y="48" width="12" height="3" fill="#22262b"/>
     <rect x="222" y="52" width="9" height="8" rx="2" fill="#fff3cf"/><rect x="4" y="52" width="7" height="9" rx="2" fill="#a3211b"/>
     ${wheel(50)}${wheel(186)}`,
  );
}

/** Draws a cat from its side, facing right; `phase` is that of its walk, or null. */
export function catSvg(phase: number | null, height: number): string {
  const angle = ((phase ?? 0) / WALK_PHASES) * 2 * Math.PI;
  const leg = (x: number, turn: number): string => {
    const swing = phase === null ? 0 : 12 * Math.sin(angle + turn);
    return `<path d="M${String(x)} 62 L${(x + swing).toFixed(1)} 96" stroke="#4a4742" stroke-width="9" stroke-linecap="round"/>`;
  };
  return svg(
    height * 1.5,
    height,
    '0 0 150 100',
    `<path d="M30 46 Q8 40 6 14" fill="none" stroke="#4a4742" stroke-width="8" stroke-linecap="round"/>
     ${leg(38, 0)}${leg(98, Math.PI)}
     <path d="M24 50 Q60 34 104 42 Q116 50 108 66 Q70 78 30 68Z" fill="#55514b"/>
     <path d="M44 44 Q48 56 46 68M62 41 Q66 56 64 72M80 41 Q84 56 82 70" stroke="#37342f" stroke-width="4" fill="none"/>
     ${leg(46, Math.PI)}${leg(106, 0)}
     <circle cx="122" cy="38" r="17" fill="#55514b"/><path d="M108 28 L110 8 L122 22Z M124 22 L136 8 L138 30Z" fill="#55514b"/>
     <circle cx="129" cy="36" r="4" fill="#ffffff"/>`,
  );
}

/** Draws a robot cleaner: a flat disc. */
export function robotSvg(height: number): string {
  return svg(
    height * 3,
    height,
    '0 0 120 40',
    `<ellipse cx="60" cy="33" rx="58" ry="7" fill="#000000" opacity=".35"/>
     <path d="M4 18 V26 Q12 37 60 37 T116 26 V18Z" fill="#26282c"/><ellipse cx="60" cy="17" rx="56" ry="14" fill="#3b3e44"/>
     <ellipse cx="60" cy="15" rx="16" ry="5" fill="#777c84"/><circle cx="96" cy="16" r="3" fill="#9fe0ff"/>`,
  );
}

/** Draws a parcel. */
export function parcelSvg(height: number): string {
  return svg(
    height * 1.3,
    height,
    '0 0 130 100',
    `<ellipse cx="65" cy="95" rx="64" ry="5" fill="#000000" opacity=".35"/>
     <path d="M6 30 L30 12 H124 L104 30Z" fill="#caa06d"/><rect x="6" y="30" width="98" height="64" fill="#b0834f"/>
     <path d="M104 30 L124 12 V76 L104 94Z" fill="#8e673b"/><rect x="46" y="30" width="16" height="64" fill="#d9c19a"/>
     <rect x="14" y="62" width="26" height="20" fill="#efeae0"/>`,
  );
}

/** Draws head and shoulders from the front. */
export function faceSvg(look: FigureLook, { lean, head, arm }: Pose, height: number): string {
  const turn = 5 * head;
  const eye = (x: number): string =>
    `<ellipse cx="${String(x + turn)}" cy="78" rx="8" ry="${arm > 0.8 ? '1.5' : '5'}" fill="#ffffff"/><circle cx="${String(x + 1.5 * turn)}" cy="78" r="4" fill="#2b2320"/><path d="M${String(x - 10 + turn)} 66 Q${String(x + turn)} 61 ${String(x + 10 + turn)} 66" stroke="${look.hair}" stroke-width="4" fill="none"/>`;
  return svg(
    height * 0.9,
    height,
    '0 0 180 200',
    `<g transform="translate(${String(3 * lean)} 0)"><path d="M4 200 Q10 152 62 144 H118 Q170 152 176 200Z" fill="${look.coat}"/>
     <rect x="72" y="120" width="36" height="34" fill="${look.skin}"/><path d="M72 134 Q90 148 108 134 V150 Q90 160 72 150Z" fill="#000000" opacity=".18"/>
     <ellipse cx="90" cy="82" rx="46" ry="58" fill="${look.skin}"/>
     <path d="M42 84 Q34 16 90 18 Q146 16 138 84 Q134 50 90 48 Q46 50 42 84Z" fill="${look.hair}"/>
     ${eye(72)}${eye(108)}
     <path d="M${String(90 + turn)} 82 L${String(85 + 1.6 * turn)} 102 H${String(94 + 1.6 * turn)}" stroke="#000000" stroke-opacity=".3" stroke-width="3" fill="none"/>
     <ellipse cx="${String(90 + turn)}" cy="118" rx="16" ry="${String(3 + 4 * arm)}" fill="#8a3f43"/></g>`,
  );
}
