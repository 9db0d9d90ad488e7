import { storageCases } from './cases-storage';

test.each([...storageCases])('$name', ({ play }) => play());
