/** Names for runs and models whose owner gave none: a word for how it goes, a word from the mill, a number. */

const MANNERS =
  "able amber ample bold brave bright brisk calm candid clear clever crisp daring deep eager early earnest even fair fast fine firm fleet fluent fresh gentle glad golden grand hale handy happy hardy honest humble keen kind level light lively lucid mellow merry mighty mild neat nimble noble patient placid plain polite prime proud pure quick quiet rapid ready robust sage serene sharp silver sleek smart smooth snug sober solid sound spry stable steady still stout strong subtle sunny sure swift tidy trim true upbeat vivid warm wise witty zesty".split(
    " ",
  );
const THINGS =
  "alder axle badger barge barley basin beam beech birch bobbin bough brook burr canal chaff chute cog comet crane crank current dam delta dove drum eddy egret elm falcon fern ferry finch flume flywheel ford fox funnel gannet gear glen grain granary grebe grist hazel heron hopper husk ibis inlet islet ivy jackdaw kestrel lark larch ledger lever linden linnet loom maple marsh martin meadow merlin millet moorhen oak oat orchard osprey otter paddle pebble perch pike pinion plover pond pulley quail quern race raven reed ridge river robin rook rye sail salmon shaft sieve sluice snipe spelt spindle spring sprocket stoat stone stream swallow swan teal thresher timber trout tern turbine vane vole wagtail weir wheat wheel willow wren".split(
    " ",
  );

/** `manner-thing-NNN`; `random` fills bytes. */
export function randomName(random: (bytes: Uint8Array) => void): string {
  const bytes = new Uint8Array(6);
  random(bytes);
  const [a, b, c] = new Uint16Array(bytes.buffer) as unknown as [number, number, number];
  return `${MANNERS[a % MANNERS.length]}-${THINGS[b % THINGS.length]}-${c % 1000}`;
}
