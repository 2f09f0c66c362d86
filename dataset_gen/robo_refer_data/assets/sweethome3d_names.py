"""Which models of Sweet Home 3D are used, by what name people would call them.

Left out are parts of buildings, vehicles, people, sets of several things, and models whose size is
not that of the real thing.
"""

from __future__ import annotations

NAMES: dict[str, str] = {  # name in the catalogue: what questions call it
    # kitchen
    "Ashtray": "ashtray", "Baby bottle": "baby bottle", "Beer bottle": "beer bottle",
    "Beer glass": "glass", "Birthday cake": "cake", "Blender": "blender", "Bread": "bread",
    "Butter": "butter", "Chopping board": "cutting board",
    "Cocktail glass": "cocktail glass", "Coffee brewer": "coffee maker", "Coffee cup": "cup",
    "Coffee maker": "coffee maker", "Coffee mug": "mug", "Coffee press": "coffee press",
    "Creamer": "milk jug", "Cup": "cup", "Cup cake": "cupcake", "Espresso kettle": "kettle",
    "Fork": "fork", "French fries": "fries", "Glass": "glass", "Hamburger": "hamburger",
    "Hot dog": "hot dog", "Kitchen knife": "knife", "Kitchen scale": "scale", "Knife": "knife",
    "Large pan": "pan", "Microwave": "microwave", "Milk": "milk carton", "Mixer": "mixer",
    "Old jar": "jar", "Paper towel holder": "paper towel holder", "Plastic cup": "cup",
    "Plate": "plate", "Oval plate": "plate", "Roasted chicken": "roast chicken",
    "Sugar": "sugar bowl", "Teapot": "teapot", "Toaster": "toaster", "Tray": "tray",
    "Wine bottle": "wine bottle", "Yogurt bottle": "yogurt bottle", "Spoon": "spoon",
    # bathroom
    "Comb": "comb", "Cosmetics pot": "cosmetics pot", "Flacon": "perfume bottle",
    "Lip stick": "lipstick", "Medicine bottle": "medicine bottle", "Medicine box": "medicine box",
    "Soap": "soap", "Sponge": "sponge", "Toilet brush": "toilet brush",
    "Clothes basket": "laundry basket", "Potty": "potty",
    # bedroom and toys
    "Biplane": "toy plane", "Bootie": "boot", "Briefcase": "briefcase", "Cap": "cap",
    "Car model": "toy car", "Chessboard": "chessboard", "Clock": "clock", "Doll": "doll",
    "Folded clothes": "folded clothes", "Handbag": "handbag", "Hat": "hat", "Helmet": "helmet",
    "Rubik's cube": "puzzle cube", "Sneakers": "sneakers", "Slippers": "slippers",
    "Woman shoes": "shoes", "Teddy bear": "teddy bear", "Toy train": "toy train",
    "Watch": "watch", "Xylophone": "xylophone", "Rocking horse": "rocking horse",
    # lights
    "Camping lamp": "lantern", "Candle": "candle", "Desk lamp": "desk lamp",
    "Flashlight": "flashlight", "Japanese lantern": "lantern", "Lamp": "lamp",
    "Little lamp": "lamp",
    # office and electronics
    "Apple iPhone": "phone", "Mobile phone": "phone", "Wireless phone": "cordless phone",
    "Phone": "desk phone", "Book": "book", "Calendar": "calendar", "Camera": "camera",
    "Reflex camera": "camera", "Dustbin": "bin", "Headphones": "headphones",
    "Inkjet printer and scanner": "printer", "Joystick": "joystick", "Laptop": "laptop",
    "Apple iBook": "laptop", "Letter tray": "letter tray", "Penbox": "pencil box",
    "Pencil": "pencil", "PlayStation": "game console", "Radio": "radio", "Ruler": "ruler",
    "Scissors": "scissors", "Speaker": "speaker", "Stapler": "stapler",
    "Stereo amplifier": "amplifier", "TV remote control": "remote", "Tablet": "tablet",
    "Text marker": "marker", "Video projector": "projector", "DVD player": "disc player",
    # miscellaneous
    "Backpack": "backpack", "Basketball": "basketball", "Cardboard box": "cardboard box",
    "Crate": "crate", "Extinguisher": "fire extinguisher", "Gift": "gift box",
    "Glasses": "glasses", "Hammer": "hammer", "Drill": "drill", "Screwdriver": "screwdriver",
    "Keys": "keys", "Newspaper": "newspaper", "Number lock": "padlock",
    "Recycling bin": "bin", "Rigged fan": "fan", "Table fan": "fan", "Soccer ball": "soccer ball",
    "Spray bottle": "spray bottle", "Suitcase": "suitcase", "Sunglasses": "sunglasses",
    "Table tennis bat": "ping pong bat", "Tape": "tape", "Tape measure": "tape measure",
    "Thermometer": "thermometer", "Vase": "vase", "Barrel": "barrel", "Cone": "traffic cone",
    # plants
    "Bonsai tree": "bonsai", "Cactus": "cactus", "Flowers": "flowers", "Little plant": "plant",
    "Orchids": "orchid", "Plant": "plant", "Succulent plant": "plant", "Tulips": "tulips",
    # furniture
    "Armchair": "armchair", "Modern armchair": "armchair", "Bar stool": "bar stool",
    "Bedside table": "nightstand", "Cafe chair": "chair", "Chair": "chair",
    "Child chair": "chair", "Coffee table": "coffee table", "Filing cabinet": "filing cabinet",
    "Folding chair": "folding chair", "Oak chair": "chair", "Plastic chair": "chair",
    "Puff": "pouf", "Radiator": "radiator", "Stool": "stool", "Safe": "safe", "TV": "television",
}  # fmt: skip

FACING = {
    "armchair", "backpack", "camera", "chair", "clock", "coffee maker", "desk phone",
    "filing cabinet", "folding chair", "laptop", "microwave", "printer", "radio", "safe", "speaker",
    "teddy bear",     "television", "nightstand",
}  # fmt: skip
"""Names whose front is where the catalogue's convention puts it: towards the viewer of a plan."""
