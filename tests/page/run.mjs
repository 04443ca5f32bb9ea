// Tells one story: `node run.mjs NAME`, with the people of it in the environment.
import { begin } from './lib.mjs';

const [name] = process.argv.slice(2);
const { default: tell, flags } = await import(`./stories/${name}.mjs`);
const world = await begin(flags);
let failed = false;
try {
  await tell(world);
  world.check();
} catch (error) {
  failed = true;
  console.error(error);
  await world.leaveBehind(name);
} finally {
  await world.end();
}
process.exit(failed ? 1 : 0);
