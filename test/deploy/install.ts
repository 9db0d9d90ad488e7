/** Jest calls it before the suite. */
import { installEngines } from '../engines/install';

export default function installForDeploy(): void {
  installEngines(['ministack']);
}
