import { runCases } from './cases-runs';
import { sourceCases } from './cases-source';
import { storageCases } from './cases-storage';

test.each([...storageCases, ...runCases, ...sourceCases])('$name', ({ play }) => play());
