import { hash } from './paint.js';

/** The looks of a person, who is drawn as SVG, 100 units wide and 200 high, feet at the bottom, walking to the right. */
export interface FigureLook {
  readonly coat: string;
  readonly trousers: string;
  readonly skin: string;
  readonly hair: string;
  readonly bag: boolean;
}

const COATS = ['#3f5f8a', '#8a3f4b', '#c28b3a', '#4c4c52', '#5a7d6a', '#7c5a8a'];
const TROUSERS = ['#2c2f3a', '#4a4038', '#3a4a5a', '#5c5c60'];
const SKINS = ['#e6b898', '#c68e68', '#8d5a3c', '#f0cdb0'];
const HAIRS = ['#2b2320', '#6a4a2c', '#b08a50', '#8c8c8c'];

export const WALK_PHASES = 8;

/** Chooses looks at random. */
export function figureLook(uniform: () => number): FigureLook {
  const pick = (from: readonly string[]): string => from[Math.floor(uniform() * from.length)] ?? '#555555';
  return { coat: pick(COATS), trousers: pick(TROUSERS), skin: pick(SKINS), hair: pick(HAIRS), bag: uniform() < 0.5 };
}

/** How somebody stands: nobody keeps still. */
export interface Pose {
  /** Weight on one leg or the other, −1 to 1. */
  readonly lean: number;
  /** −1 to 1: to the left or the right. */
  readonly head: number;
  /** 0 to 1: one hand hangs down or is raised to the face. */
  readonly arm: number;
}

export const UPRIGHT: Pose = { lean: 0, head: 0, arm: 0 };
/** How often people change their posture, and how long that takes. */
const POSE_EVERY_MS = 2600;
const POSE_CHANGE_MS = 900;
/** Between the changes they sway: nobody is seen without a movement for a second. */
const SWAY_MS = 2300;
const SWAY = 0.4;
/** Postures are drawn in steps, so that they can be kept. */
const POSE_STEPS = 4;

/** Returns the posture of somebody who stands, at a time; `look` is their seed. */
export function poseAt(look: number, atMs: number): Pose {
  const turn = Math.floor(atMs / POSE_EVERY_MS);
  const share = Math.min(1, (atMs - turn * POSE_EVERY_MS) / POSE_CHANGE_MS);
  const between = (what: number): number => {
    const before = hash(look + what, turn - 1);
    const held = before + (hash(look + what, turn) - before) * share * share * (3 - 2 * share);
    const sway = Math.sin((2 * Math.PI * atMs) / SWAY_MS / (1 + what / 4) + look + 2 * what);
    return Math.round(((1 - SWAY) * held + SWAY * sway) * POSE_STEPS) / POSE_STEPS;
  };
  return { lean: between(1), head: between(2), arm: Math.max(0, between(3)) };
}

/** x and y of two ends and the joint between them. */
type Joints = readonly [x1: number, y1: number, x2: number, y2: number, x3: number, y3: number];

function limb(joints: Joints, color: string, width: number): string {
  const points = joints.map((value) => value.toFixed(1)).join(' ');
  return `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="${String(width)}" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** Draws a person `height` pixels high; `phase` is from 0 to {@link WALK_PHASES} − 1, or null for one who stands in a posture. */
export function figureSvg(look: FigureLook, phase: number | null, height: number, pose: Pose = UPRIGHT): string {
  const { lean, head, arm: raised } = phase === null ? pose : UPRIGHT;
  const angle = phase === null ? Math.PI / 2 : (phase / WALK_PHASES) * 2 * Math.PI;
  const swing = phase === null ? 0 : Math.sin(angle);
  const bob = phase === null ? 0 : Math.abs(Math.cos(angle)) * 3;
  const hip = 112 + bob;
  const shoulder = 62 + bob;
  const leg = (direction: number): string => {
    const foot = 50 + direction * swing * 22;
    const lift = Math.max(0, direction * Math.cos(angle)) * (phase === null ? 0 : 9);
    return (
      limb([50 + 4 * lean, hip, 50 + direction * swing * 13 + 3 + 2 * lean, 152, foot, 190 - lift], look.trousers, 14) +
      `<ellipse cx="${(foot + 5).toFixed(1)}" cy="${(193 - lift).toFixed(1)}" rx="11" ry="5" fill="#222222"/>`
    );
  };
  const arm = (direction: number): string => {
    const up = direction > 0 ? raised : 0;
    const hand = 50 - direction * swing * 20 + 5 * lean + 14 * up;
    const handY = 112 + bob - 52 * up;
    const elbow = 50 - direction * swing * 9 - 2 + 6 * lean + 8 * up;
    return (
      limb([50 + 6 * lean, shoulder + 6, elbow, 90 + bob, hand + 3, handY], look.coat, 11) +
      `<circle cx="${(hand + 4).toFixed(1)}" cy="${(handY + 4 - 8 * up).toFixed(1)}" r="5" fill="${look.skin}"/>`
    );
  };
  const bag = look.bag ? `<rect x="26" y="${String(shoulder + 8)}" width="16" height="34" rx="6" fill="#38332e"/>` : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${String(Math.round(height / 2))}" height="${String(height)}" viewBox="0 0 100 200">
    <ellipse cx="52" cy="195" rx="34" ry="4.5" fill="#000000" opacity=".28"/>
    ${arm(-1)}${leg(-1)}${leg(1)}${bag}
    <g transform="translate(${String(5 * lean)} 0)"><path d="M36 ${String(shoulder)} Q50 ${String(shoulder - 8)} 64 ${String(shoulder)} L67 ${String(hip + 8)} Q50 ${String(hip + 16)} 33 ${String(hip + 8)}Z" fill="${look.coat}"/></g>
    ${arm(1)}
    <g transform="translate(${String(8 * lean + 4 * head)} 0)">
    <rect x="45" y="${String(46 + bob)}" width="10" height="14" fill="${look.skin}"/>
    <ellipse cx="51" cy="${String(36 + bob)}" rx="14" ry="17" fill="${look.skin}"/>
    <path d="M37 ${String(36 + bob)} Q34 ${String(14 + bob)} 52 ${String(16 + bob)} Q67 ${String(18 + bob)} 64 ${String(31 + bob)} Q52 ${String(24 + bob)} 46 ${String(30 + bob)} Q42 ${String(42 + bob)} 40 ${String(44 + bob)}Z" fill="${look.hair}"/></g>
  </svg>`;
}
