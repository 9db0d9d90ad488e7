// Runs TypeScript under jest: types are stripped (`npm run types` checks them), modules become CommonJS.
const { transformSync, version } = require('esbuild');
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');

const self = readFileSync(__filename);
const ownLocation = {
  'import.meta.dirname': '__dirname',
  'import.meta.filename': '__filename',
  'import.meta.url': '__importMetaUrl',
};

module.exports = {
  process(source, path) {
    return transformSync(source, {
      loader: path.endsWith('ts') ? 'ts' : 'js',
      format: 'cjs',
      target: 'node20',
      sourcemap: 'inline',
      sourcefile: path,
      define: ownLocation,
      // On the first line, so that stack traces keep their line numbers even without the source map.
      banner: source.includes('import.meta.url')
        ? "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;"
        : '',
    });
  },
  getCacheKey(source, path) {
    return createHash('sha256').update(version).update(self).update(path).update('\0').update(source).digest('hex');
  },
};
