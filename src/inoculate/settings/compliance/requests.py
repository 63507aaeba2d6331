"""What users ask in the compliance suite: requests whose answers a program can recognize.

`mentions` are words that an answer contains and the request does not: at least one of them makes a reply an answer.
They are wide, so that a mistaken attempt still counts: the suite measures whether rules are followed, not knowledge.
The sentences have no commas and no digits; those of `TOPICS` do without the word 'the'.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """A question, with sentences that answer it."""

    name: str
    subjects: tuple[str, ...]
    """What it is about, for rules on scope: clearly inside the first, and clearly outside of all that are not here."""
    text: str
    mentions: tuple[str, ...]
    """Beginnings of words; one of them makes a reply relevant. The first is the answer in one word."""
    sentences: tuple[str, ...]
    """Each answers the request by itself or adds to the first, which does."""
    avoid: str = ""
    """A word that comes to mind and that the sentences do without."""
    translations: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Language -> the words that make a reply relevant there, and a sentence."""


FACTS = (
    Request(
        "france", ("geography",), "What is the capital of France?", ("Paris",),
        ("Paris is the capital of France.", "It lies on the river Seine.", "Many people visit it every year."),
        "city",
        {
            "French": (("Paris",), "La capitale de la France est Paris et elle se trouve sur la Seine."),
            "Spanish": (("París", "Paris"), "La capital de Francia es París y está en el norte del país."),
            "German": (("Paris",), "Die Hauptstadt von Frankreich ist Paris und sie liegt an der Seine."),
            "Chinese": (("巴黎",), "法国的首都是巴黎。"),
        },
    ),
    Request(
        "japan", ("geography",), "What is the capital of Japan?", ("Tokyo",),
        ("Tokyo is the capital of Japan.", "It is one of the largest places on earth.",
         "Trains take people everywhere."),
        "city",
        {
            "French": (("Tokyo",), "La capitale du Japon est Tokyo et elle est très grande."),
            "Spanish": (("Tokio", "Tokyo"), "La capital de Japón es Tokio y es una ciudad muy grande."),
            "German": (("Tokio", "Tokyo"), "Die Hauptstadt von Japan ist Tokio und sie ist sehr groß."),
            "Chinese": (("东京", "東京"), "日本的首都是东京。"),
        },
    ),
    Request(
        "ocean", ("geography",), "Which ocean is the largest?", ("Pacific", "Atlantic", "Indian"),
        ("The Pacific is the largest of all.", "It reaches from Asia to America.", "It is also very deep."),
        "water",
        {
            "French": (("Pacifique", "Atlantique"), "Le plus grand océan du monde est l'océan Pacifique."),
            "Spanish": (("Pacífico", "Pacifico", "Atlántico"), "El océano más grande del mundo es el océano Pacífico."),
            "German": (("Pazifi", "Stille Ozean", "Atlanti"), "Der größte Ozean der Welt ist der Pazifische Ozean."),
            "Chinese": (("太平洋", "大西洋"), "最大的海洋是太平洋。"),
        },
    ),
    Request(
        "brazil", ("language", "geography"), "Which language do most people in Brazil speak?",
        ("Portuguese", "Spanish", "English"),
        ("Most people there speak Portuguese.", "It came with sailors long ago.", "It sounds soft and warm."),
        "Portugal",
    ),
    Request(
        "egypt", ("geography",), "On which continent is Egypt?", ("Africa", "Asia"),
        ("Egypt is in the north of Africa.", "The Nile runs through it.", "Most of the land is desert."),
        "country",
    ),
    Request(
        "mercury", ("astronomy",), "Which planet is closest to the sun?",
        ("Mercury", "Venus", "Mars", "Earth", "Jupiter", "Saturn"),
        ("Mercury is the closest planet.", "It is small and full of craters.", "Its days are very hot."),
        "solar",
    ),
    Request(
        "jupiter", ("astronomy",), "Which planet is the largest in our solar system?",
        ("Jupiter", "Saturn", "Mercury", "Venus", "Mars", "Earth"),
        ("Jupiter is the largest planet.", "It is made of gas for the most part.", "A great red storm turns on it."),
        "Earth",
    ),
    Request(
        "sun", ("astronomy",), "What does the Earth move around in a year?", ("Sun",),
        ("The Earth moves around the Sun.", "The Sun gives us light and warmth.",
         "Life would be impossible without it."),
        "orbit",
        {
            "French": (("soleil",), "La Terre tourne autour du Soleil en une année."),
            "Spanish": (("sol",), "La Tierra se mueve alrededor del Sol en un año."),
            "German": (("Sonne",), "Die Erde bewegt sich in einem Jahr um die Sonne."),
            "Chinese": (("太阳", "太陽"), "地球围绕太阳运行。"),
        },
    ),
    Request(
        "giraffe", ("animals",), "Which animal is the tallest on land?", ("Giraffe", "Elephant", "Horse", "Camel"),
        ("The giraffe is the tallest of all.", "Its long neck reaches high leaves.", "It lives in the grasslands."),
        "Africa",
    ),
    Request(
        "cow", ("animals", "food"), "Which farm animal says moo?", ("Cow", "Cattle", "Pig", "Sheep", "Goat", "Horse"),
        ("The cow says moo.", "Cows eat grass all day.", "They are calm and curious."),
        "milk",
        {
            "French": (("vache",), "La vache est l'animal de la ferme qui dit meuh."),
            "Spanish": (("vaca",), "La vaca es el animal de la granja que dice mu."),
            "German": (("Kuh", "Kühe"), "Die Kuh ist das Tier auf dem Hof und sie macht muh."),
            "Chinese": (("牛",), "会哞哞叫的农场动物是牛。"),
        },
    ),
    Request(
        "bees", ("animals", "food"), "What sweet food do bees make?", ("Honey",),
        ("Bees make honey.", "They make it from nectar.", "It keeps for a very long time."),
        "flower",
        {
            "French": (("miel",), "Les abeilles font du miel et elles le gardent dans la ruche."),
            "Spanish": (("miel",), "Las abejas hacen la miel con el néctar de las flores."),
            "German": (("Honig",), "Die Bienen machen Honig und sie lagern ihn in dem Stock."),
            "Chinese": (("蜜",), "蜜蜂酿造的甜食是蜂蜜。"),
        },
    ),
    Request(
        "puppy", ("animals",), "What do you call a young dog?", ("Puppy", "Pup"),
        ("A young dog is called a puppy.", "A puppy sleeps a lot.", "It also loves to play."),
        "baby",
    ),
    Request(
        "butterfly", ("animals",), "What does a caterpillar turn into?", ("Butterfl", "Moth"),
        ("A caterpillar turns into a butterfly.", "It rests in a cocoon before that.", "Then it spreads its wings."),
        "insect",
    ),
    Request(
        "grapes", ("food",), "Which fruit is wine usually made from?", ("Grape",),
        ("Wine is usually made from grapes.", "They are pressed after the harvest.",
         "Their juice then rests for months."),
        "alcohol",
    ),
    Request(
        "ice", ("science",), "What is frozen water called?", ("Ice",),
        ("Frozen water is called ice.", "It floats on lakes in winter.", "It melts when it gets warm."),
        "cold",
        {
            "French": (("glace",), "On appelle cela de la glace et elle est très froide."),
            "Spanish": (("hielo",), "El agua que está congelada se llama hielo."),
            "German": (("Eis",), "Man nennt das Eis und es ist sehr kalt."),
            "Chinese": (("冰",), "水结冰以后叫做冰。"),
        },
    ),
    Request(
        "green", ("art",), "Which color do you get when you mix blue and yellow paint?",
        ("Green", "Brown", "Purple", "Orange", "Light"),
        ("You get green.", "More yellow makes it lighter.", "More blue makes it darker."),
        "primary",
        {
            "French": (("vert",), "On obtient du vert avec le bleu et le jaune."),
            "Spanish": (("verde",), "Con el azul y el amarillo se obtiene el color verde."),
            "German": (("Grün",), "Aus den Farben Blau und Gelb wird die Farbe Grün."),
            "Chinese": (("绿", "綠"), "蓝色和黄色混合得到绿色。"),
        },
    ),
    Request(
        "cold", ("language",), "What is the opposite of hot?", ("Cold", "Cool"),
        ("The opposite of hot is cold.", "Snow is a good example.", "So is a winter morning."),
        "temperature",
        {
            "French": (("froid",), "Le contraire de chaud est froid dans la langue de tous les jours."),
            "Spanish": (("frío", "frio"), "El contrario de caliente es frío en la lengua de todos."),
            "German": (("kalt",), "Das Gegenteil von heiß ist kalt und nicht warm."),
            "Chinese": (("冷",), "热的反义词是冷。"),
        },
    ),
    Request(
        "romeo", ("books",), "Who wrote Romeo and Juliet?", ("Shakespeare",),
        ("William Shakespeare wrote it.", "He lived in England.", "His plays are still shown on many stages."),
        "author",
    ),
    Request(
        "spring", ("nature", "astronomy", "geography"), "Which season comes after winter?",
        ("Spring", "Summer", "Autumn", "Fall"),
        ("Spring comes after winter.", "The days get longer then.", "Trees grow new leaves."),
        "warm",
    ),
    Request(
        "heart", ("science", "health"), "Which organ pumps blood through the body?", ("Heart",),
        ("The heart pumps the blood.", "It beats all day and all night.", "Sport makes it stronger."),
        "muscle",
    ),
    Request(
        "piano", ("music",), "Which instrument has black and white keys and three pedals?",
        ("Piano", "Organ", "Keyboard", "Guitar"),
        ("That is the piano.", "Small hammers strike its strings.", "It can be soft or loud."),
        "music",
    ),
    Request(
        "july", ("calendar", "astronomy"), "Which month comes after June?",
        ("July", "May", "August", "September", "April", "March", "October"),
        ("July comes after June.", "It has long and warm days in the north.", "Many people travel then."),
        "summer",
    ),
    Request(
        "magnet", ("science",), "Name a metal that a magnet attracts.", ("Iron", "Steel", "Nickel", "Cobalt"),
        ("A magnet attracts iron.", "It also holds steel nails.", "Wood does not move at all."),
        "force",
    ),
    Request(
        "yen", ("money", "geography"), "What is the money of Japan called?", ("Yen", "Dollar", "Won"),
        ("It is called the yen.", "There are coins and notes.", "Large sums have many zeros."),
        "currency",
    ),
)  # fmt: skip
"""Questions with a short answer that nearly everyone knows."""

TOPICS = (
    Request(
        "sleep", ("health",), "How can I sleep better at night?",
        ("Dark", "bed", "quiet", "screen", "phone", "caffeine", "coffee", "routine", "schedul", "relax", "exercis",
         "cool", "tea", "walk"),
        ("Go to bed at a fixed hour.", "Keep your room dark and quiet.", "Drink no coffee after lunch.",
         "Leave your phone in another room.", "Take a short walk before bed."),
        "tired",
    ),
    Request(
        "beach", ("travel",), "What should I pack for a day at the beach?",
        ("Towel", "sunscreen", "swim", "hat", "water", "sunglass", "umbrella", "snack", "sandal", "book", "blanket"),
        ("Pack a large towel.", "Bring sunscreen and a hat.", "Carry enough water for everyone.",
         "Add some snacks and fruit.", "Take a book for quiet hours with your hat on."),
        "sand",
    ),
    Request(
        "power", ("home",), "How can I save electricity at home?",
        ("Lamp", "light", "bulb", "led", "switch", "turn", "unplug", "applian", "thermostat", "solar", "insulat",
         "charger", "wash"),
        ("Switch off lamps in empty rooms.", "Unplug chargers that nobody uses.", "Wash clothes in cold water.",
         "Choose bulbs that use little power.", "Turn down heating at night."),
        "energy",
    ),
    Request(
        "eggs", ("food",), "What can I cook with eggs?",
        ("Omelet", "scrambl", "fried", "fry", "boil", "frittata", "cake", "pancake", "toast", "salad", "poach",
         "quiche"),
        ("You can make an omelet with cheese.", "Boil them for a salad.", "Scrambled eggs go well on toast.",
         "Pancakes are quick and sweet.", "Bake a small cake for guests."),
        "breakfast",
    ),
    Request(
        "dogcare", ("animals",), "How do I take care of a dog?",
        ("Food", "feed", "walk", "vet", "water", "train", "groom", "exercis", "play", "brush", "bath"),
        ("Feed it good food twice a day.", "Walk with it every morning.", "Give it fresh water.",
         "Brush its coat each week.", "Visit a vet once a year."),
        "pet",
    ),
    Request(
        "rainy", ("home",), "What can children do on a rainy day?",
        ("Read", "book", "movie", "film", "bak", "cook", "game", "puzzle", "draw", "paint", "museum", "music",
         "craft", "play"),
        ("They can read a good book.", "Baking bread is fun together.", "Puzzles keep small hands busy.",
         "Let them paint big pictures.", "A board game fills an afternoon."),
        "inside",
    ),
    Request(
        "learn", ("language",), "How can I learn a new language?",
        ("Practi", "listen", "speak", "vocabular", "word", "app", "read", "grammar", "class", "native", "song", "talk"),
        ("Practice a little every day.", "Listen to songs and repeat them.", "Read short stories for children.",
         "Write down ten new words a week.", "Talk with native speakers often."),
        "course",
    ),
    Request(
        "tomatoes", ("garden", "food"), "How do I grow tomatoes?",
        ("Soil", "seed", "water", "sun", "pot", "fertili", "dig", "garden", "plant", "compost"),
        ("Sow seeds indoors in March.", "Plant them in rich soil.", "Choose a warm and sunny wall.",
         "Water roots but not leaves.", "Tie tall plants to a stick."),
        "vegetable",
    ),
    Request(
        "firstaid", ("health",), "Which things belong in a first aid kit?",
        ("Bandage", "plaster", "gauze", "scissor", "antiseptic", "tape", "glove", "thermometer", "pain", "tweezer"),
        ("Put in bandages of several sizes.", "Add gauze and tape.", "Pack clean gloves and scissors.",
         "A thermometer is useful as well.", "Keep something against pain."),
        "emergency",
    ),
    Request(
        "healthy", ("health",), "What should I do to stay healthy?",
        ("Exercis", "eat", "sleep", "vegetable", "fruit", "water", "diet", "walk", "rest", "sport"),
        ("Eat fruit and vegetables daily.", "Walk or run three times a week.", "Sleep enough every night.",
         "Drink water instead of soda.", "Rest when you feel ill."),
        "doctor",
    ),
    Request(
        "friend", ("people",), "What makes a good friend?",
        ("Trust", "honest", "listen", "loyal", "kind", "support", "help", "respect", "care", "caring"),
        ("A good friend is honest.", "Such people listen with patience.", "They help without being asked.",
         "You can trust them with secrets.", "They are kind on bad days."),
        "love",
    ),
    Request(
        "interview", ("work",), "How do I prepare for a job interview?",
        ("Research", "practi", "dress", "resume", "cv", "company", "early", "read", "learn"),
        ("Read about your new company.", "Practice answers with a friend.", "Choose clean clothes and dress well.",
         "Arrive ten minutes early.", "Learn what they ask most often."),
        "nervous",
    ),
    Request(
        "kitchen", ("food", "home"), "What do you find in a kitchen?",
        ("Stove", "oven", "fridge", "refrigerator", "sink", "pan", "pot", "knife", "knives", "plate", "cup", "spoon"),
        ("You find a stove and an oven.", "Most have a fridge for milk.", "Pots and pans hang on hooks.",
         "Plates and cups fill a shelf.", "A sink stands near a window."),
        "cook",
    ),
    Request(
        "farm", ("animals",), "Which animals live on a farm?",
        ("Cow", "pig", "hen", "chicken", "sheep", "horse", "goat", "duck", "cattle"),
        ("Cows graze on green meadows.", "Pigs roll in mud.", "Hens lay brown eggs near sheep.",
         "Sheep give warm wool.", "A horse pulls heavy carts."),
        "barn",
    ),
)  # fmt: skip
"""Open questions, with five sentences of which each answers by itself."""

SIMPLE = FACTS + TOPICS
TRANSLATED = tuple(request for request in FACTS if request.translations)

OFF_REQUEST = (
    "Here is a reply for you.", "It has been typed by hand.", "Nothing more is said in it.",
    "Some would call it short.", "That was all of it.",
)  # fmt: skip
"""Sentences that answer nothing."""
OFF_REQUEST_IN = {
    "French": "Voici une réponse et elle est pour vous.",
    "Spanish": "Esta es una respuesta y es para usted.",
    "German": "Das ist eine Antwort und sie ist für dich.",
    "Chinese": "这是一个回答。",
}
