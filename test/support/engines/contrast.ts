/**
 * Returns text whose contrast with its background is below WCAG 2.2 AA (4.5:1, large text 3:1). Runs inside the page.
 */
export function lowContrast(): string[] {
  const parse = (color: string): [number, number, number, number] => {
    const numbers = /rgba?\(([^)]+)\)/
      .exec(color)?.[1]
      ?.split(/[ ,/]+/)
      .map(Number) ?? [0, 0, 0, 0];
    return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0, numbers[3] ?? 1];
  };
  const luminance = ([r, g, b]: readonly number[]): number => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((value = 0) => {
      const channel = value / 255;
      return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element: Element | null): readonly number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] > 0.95) return color;
    }
    return [255, 255, 255];
  };
  const out: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent?.trim() ?? '';
    if (
      element === null ||
      text === '' ||
      element.closest('script, style, noscript, [aria-hidden=true], :disabled') !== null
    )
      continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || element.closest('.skip, .visually-hidden, .frame-note') !== null) continue;
    const style = getComputedStyle(element);
    const ink = luminance(parse(style.color));
    const ground = luminance(behind(element));
    const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) out.push(`${contrast.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return [...new Set(out)];
}
