// Starts the bench from one bundled file, as the command and the functions are bundled: code that is compiled at each start is slower.
import { loadFresh } from '../../cli/bundle.mjs';

const { run } = await loadFresh('test/bench/main.ts');
await run();
