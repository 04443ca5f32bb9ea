/// A byte as a word: sorted, four to seven letters, no two alike in their first three letters, and any two at least
/// three typing errors apart, so that a word heard badly is not another one. The order is for ever.
#[rustfmt::skip]
pub(super) const WORDS: [&str; 256] = [
    "alarm", "amber", "anchor", "apple", "arena", "arrow", "artist", "atlas", "attic", "autumn", "bamboo", "banjo",
    "barrel", "basket", "beach", "berry", "bicycle", "bishop", "blossom", "bonfire", "bottle", "boulder", "brass",
    "bread", "bridge", "buffalo", "cactus", "camel", "carpet", "castle", "cedar", "cello", "cement", "chimney",
    "cinema", "circus", "city", "clover", "cobalt", "coffee", "copper", "cotton", "cradle", "cricket", "crown",
    "crystal", "curtain", "cushion", "dairy", "dancer", "dawn", "desert", "diesel", "dolphin", "domino", "donkey",
    "dragon", "dust", "eagle", "echo", "eclipse", "elbow", "elder", "emerald", "engine", "estate", "evening",
    "fabric", "falcon", "farmer", "feather", "fence", "fiddle", "finger", "fire", "flute", "fossil", "frame", "frost",
    "fudge", "furnace", "gadget", "galaxy", "garden", "gate", "gazelle", "gentle", "giraffe", "glacier", "globe",
    "goblet", "gorilla", "guitar", "heart", "helmet", "hickory", "hippo", "hobby", "horizon", "hydrant", "iceberg",
    "igloo", "index", "insect", "island", "ivory", "jaguar", "jasmine", "jersey", "jigsaw", "journey", "juggle",
    "kayak", "kidney", "kiosk", "kitchen", "kiwi", "koala", "ladder", "lagoon", "lamp", "lantern", "laptop", "lemon",
    "leopard", "library", "lilac", "linen", "lizard", "lobster", "locket", "lotus", "lunch", "magnet", "marble",
    "mason", "meadow", "mercury", "metal", "milk", "mineral", "mirror", "mitten", "model", "moose", "morning",
    "mosaic", "motor", "muffin", "museum", "napkin", "navy", "nectar", "nickel", "noodle", "north", "nurse", "nutmeg",
    "nylon", "oasis", "oatmeal", "ocean", "october", "office", "olive", "omelet", "onion", "opera", "orange", "orbit",
    "orchid", "otter", "oval", "oxygen", "palace", "paper", "pasta", "pebble", "pencil", "piano", "picnic", "pigeon",
    "pillow", "pirate", "pizza", "planet", "plum", "polar", "pony", "potato", "prism", "puppet", "puzzle", "quail",
    "queen", "rabbit", "raft", "raven", "razor", "reef", "ribbon", "robin", "rubber", "rugby", "sandal", "satin",
    "sauce", "scarf", "school", "shell", "silver", "sketch", "sled", "smoke", "snow", "soccer", "soup", "spider",
    "spoon", "square", "stable", "sugar", "summer", "sunset", "swan", "teapot", "temple", "tennis", "toast", "topaz",
    "tower", "tulip", "tunnel", "turtle", "uncle", "urban", "vacuum", "valley", "venus", "vessel", "victor", "violin",
    "voyage", "waffle", "walnut", "whale", "window", "wolf", "wonder", "yacht", "yard", "yogurt", "zebra", "zenith",
    "zigzag", "zinc",
];
