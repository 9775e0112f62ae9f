"""privacy.cases.py <file>: seeded columns and texts, with personal data and without, made by Faker and python-stdnum, whose check digits are not ours."""
import json
import random
import string
import sys

from faker import Faker
from stdnum import luhn, verhoeff
from stdnum.de import idnr
from stdnum.iso7064 import mod_11_10

random.seed(2026)
fakers = {locale: Faker(locale) for locale in ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "en_IN", "pl_PL", "sv_SE", "ja_JP", "en_AU"]}
for place, faker in enumerate(fakers.values()):
    faker.seed_instance(2026 + place)
us = fakers["en_US"]
western = [fakers[locale] for locale in fakers if locale != "ja_JP"]


def pick(*options):
    return random.choice(options)


def digits(count):
    return "".join(random.choice(string.digits) for _ in range(count))


def steuer_id():
    while True:
        order = random.sample(string.digits, 10)
        order[random.randrange(1, 10)] = order[0]
        random.shuffle(order)
        number = "".join(order)
        if number[0] != "0":
            number += mod_11_10.calc_check_digit(number)
            if idnr.is_valid(number):
                return number


def aadhaar():
    number = random.choice("23456789") + digits(10)
    return number + verhoeff.calc_check_digit(number)


def nino():
    first, second = random.choice("ABCEGHJKLMNOPRSTWXYZ"), random.choice("ABCEGHJKLMNPRSTWXYZ")
    prefix = "AB" if first + second in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ") or first == "O" else first + second
    return prefix + digits(6) + random.choice("ABCD")


def spaced(number, *sizes):
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return " ".join(parts)


def in_one_form(maker, *forms):
    """All values of a column are written alike."""
    form = random.choice(forms)
    return lambda: form(maker())


same = str
# kind, names of the column, what makes the maker of one column's values
positives = [
    ("email", ["email", "E-Mail", "contact", "login", "col7", "mail_address"], lambda: (lambda f: lambda: pick(f.email(), f.free_email(), f.company_email()))(random.choice(western))),
    ("phone", ["phone", "Telefon", "mobile_number", "tel", "contact_phone", "Fax"], lambda: random.choice(list(fakers.values())).phone_number),
    ("phone", ["contact", "reach", "col3"], lambda: in_one_form(lambda: (random.randint(201, 989), random.randint(200, 999), digits(4)), lambda p: "(%s) %s-%s" % p, lambda p: "%s-%s-%s" % p, lambda p: "+1 %s %s %s" % p, lambda p: "+1%s%s%s" % p)),
    ("phone", ["contact", "reach", "col3"], lambda: in_one_form(lambda: digits(8), lambda d: "06 " + spaced(d, 2, 2, 2, 2), lambda d: "+33 6 " + spaced(d, 2, 2, 2, 2), lambda d: "020 7" + spaced(d, 3, 4), lambda d: "+49 30 " + d, lambda d: "0171/" + d[:7], lambda d: "+91 98" + d, lambda d: "03-" + d[:4] + "-" + d[4:])),
    ("card", ["card", "payment", "col4", "credit_card_number", "pan"], lambda: in_one_form(lambda: us.credit_card_number(pick("visa16", "mastercard", "amex", "discover")), same, lambda n: spaced(n, 4, 4, 4, 4) if len(n) == 16 else spaced(n, 4, 6, 5), lambda n: "-".join(spaced(n, 4, 4, 4, 4).split(" ")) if len(n) == 16 else n)),
    ("account", ["iban", "konto", "account", "col9"], lambda: in_one_form(random.choice([fakers[k] for k in ("de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "en_GB", "pl_PL", "sv_SE")]).iban, same, lambda n: " ".join(n[i : i + 4] for i in range(0, len(n), 4)))),
    ("account", ["routing_number", "aba"], lambda: us.aba),
    ("account", ["account_number", "bank_account_no", "Kontonummer"], lambda: lambda: digits(10)),
    ("national id", ["ssn", "SSN", "social_security_number", "id", "col1"], lambda: us.ssn),
    ("national id", ["nino", "NI number", "id"], lambda: in_one_form(nino, same, lambda n: spaced(n, 2, 2, 2, 2, 1))),
    ("national id", ["steuer_id", "IdNr", "id"], lambda: in_one_form(steuer_id, same, lambda n: spaced(n, 2, 3, 3, 3))),
    ("national id", ["nir", "numero_securite_sociale", "id"], lambda: (lambda f: lambda: f.ssn())(fakers["fr_FR"])),
    ("national id", ["dni", "nif", "id"], lambda: random.choice([fakers["es_ES"].nif, fakers["es_ES"].nie])),
    ("national id", ["codice_fiscale", "CF", "id"], lambda: fakers["it_IT"].ssn),
    ("national id", ["bsn", "BSN nummer", "id"], lambda: fakers["nl_NL"].ssn),
    ("national id", ["cpf", "CPF", "id"], lambda: in_one_form(fakers["pt_BR"].cpf, same, lambda n: n.replace(".", "").replace("-", ""))),
    ("national id", ["aadhaar", "Aadhaar No", "id"], lambda: in_one_form(aadhaar, same, lambda n: spaced(n, 4, 4, 4))),
    ("person name", ["name", "full_name", "customer", "Patient", "contact_name", "employee name"], lambda: random.choice(western).name),
    ("person name", ["first_name", "FirstName", "vorname", "prenom", "given name"], lambda: random.choice(western).first_name),
    ("person name", ["last_name", "surname", "Nachname", "apellido", "cognome", "family name"], lambda: random.choice(western).last_name),
    ("person name", ["Name", "passenger"], lambda: (lambda f: lambda: "%s, %s %s" % (f.last_name(), pick("Mr.", "Mrs.", "Miss.", "Dr."), f.first_name()))(us)),
    ("ip address", ["ip", "client_ip", "source", "remote_addr"], lambda: random.choice([us.ipv4, us.ipv6, us.ipv4_public])),
]


def upc():
    return "%012d" % random.randrange(10**12)


def imei():
    number = pick("35", "86", "01") + digits(12)
    return number + luhn.calc_check_digit(number)


# Names of columns, and what makes the maker of one column's values
negatives = [
    (["order_number", "order", "transaction"], lambda: lambda: pick("4", "5", "4") + digits(15)),
    (["order_id", "invoice", "ref"], lambda: (lambda start: (lambda counter: lambda: str(next(counter)))(iter(range(start, start + 10**9, random.randint(1, 97)))))(random.randrange(10**8, 10**9))),
    (["id", "reference"], lambda: lambda: digits(9)),
    (["id", "reference"], lambda: lambda: "1" + digits(10)),
    (["id", "reference"], lambda: lambda: digits(12)),
    (["zip", "plz", "postcode"], lambda: random.choice(western).postcode),
    (["zip4"], lambda: lambda: digits(5) + "-" + digits(4)),
    (["ean", "barcode", "product"], lambda: pick(us.ean13, us.ean8, upc)),
    (["isbn"], lambda: pick(us.isbn10, us.isbn13)),
    (["imei", "device"], lambda: imei),
    (["sku", "product_code", "article"], lambda: lambda: pick("AB", "XK", "QR") + digits(6) + pick("X", "E", "F", "Z")),
    (["sku", "part"], lambda: lambda: "%s-%s-%s" % (digits(3), digits(3), digits(3))),
    (["tracking"], lambda: pick(lambda: "1Z" + us.bothify("???").upper() + digits(13), lambda: "94" + digits(20))),
    (["lat", "position"], lambda: lambda: "%.6f" % random.uniform(-90, 90)),
    (["position", "coordinates"], lambda: lambda: "%.4f, %.4f" % (random.uniform(-90, 90), random.uniform(-180, 180))),
    (["price", "amount"], lambda: pick(lambda: "%.2f" % random.uniform(1, 1e5), lambda: "$%s" % format(random.uniform(1, 1e6), ",.2f"), lambda: format(random.randrange(10**6, 10**9), ",").replace(",", " "))),
    (["date", "created"], lambda: pick(us.date, lambda: us.date(pattern="%d.%m.%Y"), lambda: us.date(pattern="%m/%d/%y"), lambda: us.date(pattern="%Y%m%d"), lambda: us.date(pattern="%d-%m-%Y"))),
    (["timestamp", "at"], lambda: pick(lambda: us.date(pattern="%Y-%m-%dT%H:%M:%SZ"), lambda: str(random.randrange(1_500_000_000, 1_800_000_000)), lambda: str(random.randrange(1_500_000_000_000, 1_800_000_000_000)), lambda: us.date(pattern="%Y-%m-%d %H:%M:%S.123"))),
    (["version", "release", "software"], lambda: pick(lambda: "%d.%d.%d" % tuple(random.randrange(40) for _ in range(3)), lambda: "%d.%d.%d.%d" % tuple(random.randrange(30) for _ in range(4)))),
    (["city", "town", "name", "place"], lambda: random.choice(western).city),
    (["country", "nation", "name"], lambda: us.country),
    (["company", "company_name", "employer", "customer"], lambda: us.company),
    (["job", "title", "occupation"], lambda: us.job),
    (["product_name", "item name", "name"], lambda: lambda: "%s %s %s" % (pick("Red", "Large", "Classic", "Ultra"), pick("Chair", "Lamp", "Shoe", "Phone"), pick("X1", "Pro", "200", "Deluxe"))),
    (["color", "name"], lambda: us.color_name),
    (["file_name", "path"], lambda: pick(us.file_name, us.file_path)),
    (["url", "website"], lambda: pick(us.url, us.uri)),
    (["uuid", "key", "hash"], lambda: pick(us.uuid4, us.sha1, us.md5)),
    (["mac", "device"], lambda: us.mac_address),
    (["vin", "vehicle"], lambda: us.vin),
    (["plate"], lambda: random.choice([us, fakers["de_DE"], fakers["en_GB"]]).license_plate),
    (["isin", "security"], lambda: lambda: "US" + digits(10)),
    (["bic", "swift"], lambda: us.swift8),
    (["flight"], lambda: lambda: pick("LH", "BA", "UA") + digits(pick(3, 4))),
    (["years", "period"], lambda: lambda: "%d-%d" % (random.randrange(1900, 1980), random.randrange(1981, 2024))),
    (["hours", "opening"], lambda: lambda: "%02d:%02d-%02d:%02d" % (random.randrange(6, 11), pick(0, 30), random.randrange(15, 22), pick(0, 30))),
    (["size", "dimensions"], lambda: lambda: "%dx%dx%d" % tuple(random.randrange(5, 300) for _ in range(3))),
    (["mobile_plan", "phone_model", "cell_count"], lambda: lambda: pick("Galaxy S%d", "iPhone %d", "Pixel %d") % random.randrange(3, 20)),
    (["phone_price", "telephone_charges"], lambda: lambda: str(random.randrange(10**6, 10**7))),
    (["review", "description", "notes"], lambda: us.sentence),
    (["notes", "comment"], lambda: lambda: "%s %s, %d pieces at %.2f, ref %s" % (us.word(), us.date(), random.randrange(1, 10**4), random.uniform(1, 1e4), digits(random.randrange(4, 9)))),
    (["species", "genus"], lambda: lambda: pick("Pygoscelis", "Felis", "Quercus", "Rosa") + " " + pick("adeliae", "catus", "robur", "canina", "papua")),
    (["street", "address_line"], lambda: us.street_name),
    (["department", "team"], lambda: lambda: pick("Sales", "Marketing", "Human Resources", "Finance", "Legal") + " " + pick("EMEA", "North", "South", "II")),
    (["status", "category"], lambda: lambda: pick("open", "closed", "pending", "on hold")),
    (["account_type", "card_type"], lambda: pick(us.credit_card_provider, lambda: pick("savings", "checking", "gold", "platinum"))),
]
columns = []
for kind, names, maker in positives:
    for _ in range(40):
        value = maker()
        columns.append({"kind": kind, "name": random.choice(names), "values": [str(value()) for _ in range(random.randint(20, 120))]})
for names, maker in negatives:
    for _ in range(20):
        value = maker()
        columns.append({"kind": None, "name": random.choice(names), "values": [str(value()) for _ in range(random.randint(20, 120))]})

frames = ["please contact %s about it", "%s", "Customer wrote: call me at %s, thanks!", "(%s)", "sent to %s on 2024-05-03 for 12.50", "old: %s; new one follows"]
inside = {
    "email": lambda: random.choice(western).email(),
    "phone": lambda: pick("+%d %d %s" % (random.randint(20, 98), random.randint(10, 99), digits(7)), "(%d) %d-%s" % (random.randint(201, 989), random.randint(200, 999), digits(4)), "%d-%d-%s" % (random.randint(201, 989), random.randint(200, 999), digits(4)), "030/" + digits(8), "06 " + spaced(digits(8), 2, 2, 2, 2)),
    "card": lambda: (lambda n: pick(n, spaced(n, 4, 4, 4, 4)))(us.credit_card_number("visa16")),
    "account": lambda: random.choice([fakers["de_DE"], fakers["en_GB"], fakers["fr_FR"]]).iban(),
    "national id": lambda: pick(us.ssn(), fakers["it_IT"].ssn(), fakers["es_ES"].nif(), fakers["pt_BR"].cpf()),
}
texts = []
for kind, maker in inside.items():
    for _ in range(200):
        frame = random.choice(frames)
        texts.append({"kind": kind, "text": us.sentence() + " " + frame % maker()})
plain = [
    lambda: "order %s of %s, %d pieces at %.2f" % (digits(random.choice([6, 8, 10, 16])), us.date(), random.randrange(1, 999), random.uniform(1, 9999)),
    lambda: "ISBN %s, page %d-%d" % (us.isbn13(), random.randrange(1, 99), random.randrange(100, 999)),
    lambda: "at %.5f, %.5f on %s" % (random.uniform(-90, 90), random.uniform(-180, 180), us.date(pattern="%d.%m.%Y")),
    lambda: "upgraded from %d.%d.%d to 10.%d.%d-rc1" % tuple(random.randrange(40) for _ in range(5)),
    lambda: "tracking 1Z%s and %s" % (us.bothify("???").upper() + digits(13), "94" + digits(20)),
    lambda: us.company() + " in " + us.city() + ", founded " + us.year(),
    lambda: "between %s and %s, $%s in total" % (us.date(), us.date(), format(random.randrange(10**6, 10**9), ",")),
    lambda: "open 09:00-17:30, mentions @%s and #%d" % (us.word(), random.randrange(1, 10**6)),
    lambda: us.paragraph(),
    lambda: "sku S%s-%s, serial %s" % (digits(4), digits(5), us.bothify("??######?").upper()),
]
for _ in range(1000):
    texts.append({"kind": None, "text": random.choice(plain)()})
with open(sys.argv[1], "w") as file:
    json.dump({"columns": columns, "texts": texts}, file)
