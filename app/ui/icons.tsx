import type { JSX } from './preact.js';

/** An icon on a 24-unit grid. Decoration only: the words beside it have the same meaning. */
function Icon({ path, size = 18 }: { readonly path: string; readonly size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

export const ShieldIcon = (): JSX.Element => (
  <Icon path="M12 3 19 5.500v5.300c0 4.600-3 7.800-7 9.700-4-1.900-7-5.100-7-9.700V5.500z M8.800 11.800l2.300 2.300 4.200-4.400" />
);
export const ClockIcon = (): JSX.Element => (
  <Icon path="M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z M12 8v4.400l2.800 1.700" />
);
export const GapIcon = (): JSX.Element => <Icon path="M4 12h5 M15 12h5 M10.500 8.500l3 7" />;
export const StopIcon = (): JSX.Element => <Icon path="M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z M6.500 6.500l11 11" />;
export const CameraIcon = (): JSX.Element => (
  <Icon path="M4 8.500h3.200L8.800 6h6.400l1.600 2.500H20V18H4z M12 10.200a3 3 0 1 1 0 6 3 3 0 0 1 0-6z" />
);
export const EyeIcon = (): JSX.Element => (
  <Icon path="M3.500 12c2.300-4 5.100-6 8.500-6s6.200 2 8.500 6c-2.300 4-5.100 6-8.500 6s-6.200-2-8.500-6z M12 9.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z M4.500 19.500l15-15" />
);
export const ListIcon = (): JSX.Element => <Icon path="M4 5h6v5H4z M4 14h6v5H4z M14 6h6 M14 9h4 M14 15h6 M14 18h4" />;
export const GearIcon = (): JSX.Element => (
  <Icon path="M4 7h9 M17 7h3 M15 5v4 M4 12h3 M11 12h9 M9 10v4 M4 17h9 M17 17h3 M15 15v4" />
);
export const CheckIcon = (): JSX.Element => <Icon path="M5 12.500l4.500 4.500L19 7.500" />;
export const PlusIcon = (): JSX.Element => <Icon path="M12 5v14 M5 12h14" />;
export const MinusIcon = (): JSX.Element => <Icon path="M5 12h14" />;
export const CloseIcon = (): JSX.Element => <Icon path="M6 6l12 12 M18 6L6 18" />;
export const LeftIcon = (): JSX.Element => <Icon path="M14.500 5.500L8 12l6.500 6.500" />;
export const RightIcon = (): JSX.Element => <Icon path="M9.500 5.500L16 12l-6.500 6.500" />;
export const KeyIcon = (): JSX.Element => (
  <Icon path="M8 12a4 4 0 1 1 3.900 5H11 M11.500 14.500 20 6 M17.500 8.500l2 2 M15.500 10.500l2 2 M8 12a4 4 0 1 0 4 4" />
);
export const PictureIcon = (): JSX.Element => (
  <Icon size={28} path="M4 5.500h16v13H4z M4 15l4.500-4 4 3.500 2.500-2 5 4 M9 9.200a.9.9 0 1 1 0 .1" />
);

export const PlayIcon = ({ size = 18 }: { readonly size?: number }): JSX.Element => (
  <Icon size={size} path="M8 5.500v13l10.500-6.500z" />
);
export const PauseIcon = (): JSX.Element => <Icon path="M8.500 6v12 M15.500 6v12" />;

/** The mark: a shield around a lens. */
export function Logo(): JSX.Element {
  return (
    <svg class="logo" width="30" height="30" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <rect width="64" height="64" rx="15" class="logo-ground" />
      <path d="M32 11 50 17v14c0 11-7.500 18.600-18 22-10.500-3.400-18-11-18-22V17z" class="logo-line" />
      <circle cx="32" cy="31" r="8.500" class="logo-line" />
      <circle cx="32" cy="31" r="2.500" class="logo-dot" />
    </svg>
  );
}
