/** The image library, imported by scripts here and nowhere else. */
export { default as sharp } from 'sharp';
