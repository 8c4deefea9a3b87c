#!/usr/bin/env python3
"""Sotto/1 a second time, in Python, checked against the vectors beside this file.

Written from crypto/PROTOCOL.md and README.md alone; § in a comment is a section of PROTOCOL.md.
It shows that the text suffices and what the vectors hold. It keeps no secret safe: nothing here
takes constant time, and nothing is random.

    python3 tests/vectors/check.py

prints a line for each file, and ends with an error at the first disagreement. It needs Python 3.11
and three packages: cryptography, kyber-py (ML-KEM-768 with a given m) and argon2-cffi.
"""

import copy, functools, hashlib, hmac, json, sys, time  # noqa: E401
from collections import namedtuple
from dataclasses import dataclass, field
from pathlib import Path

try:
    from argon2.low_level import Type, hash_secret_raw
    from cryptography.exceptions import InvalidSignature, InvalidTag
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from kyber_py.ml_kem import ML_KEM_768
except ImportError as missing:
    sys.exit(f"check.py needs cryptography, kyber-py and argon2-cffi: {missing}")

HERE = Path(__file__).resolve().parent

class Refused(Exception):
    """What an implementation must refuse; every other exception is a bug here."""

class Disagreement(Exception):
    """The vectors and this file differ."""

def need(condition, why):
    if not condition:
        raise Refused(why)

# ---------------------------------------------------------------- §0 Primitives

def seal_gcm(key, nonce, aad, plaintext): return AESGCM(key).encrypt(nonce, plaintext, aad)

def open_gcm(key, nonce, aad, ciphertext):
    need(len(ciphertext) >= 16, "shorter than a tag")
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise Refused("AES-256-GCM") from None

def aes_block(key): return Cipher(algorithms.AES256(key), modes.ECB())
def sha256(data): return hashlib.sha256(data).digest()
def mac(key, message, digest="sha256"): return hmac.digest(key, message, digest)

def hkdf_expand(prk, info, size, digest="sha256"):
    out, block, i = b"", b"", 1
    while len(out) < size:
        block = mac(prk, block + info + bytes([i]), digest)
        out, i = out + block, i + 1
    return out[:size]

P25519 = 2**255 - 19
Y_OF_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
Y_OF_SMALL_ORDER = {0, 1, P25519 - 1, Y_OF_ORDER_8, P25519 - Y_OF_ORDER_8}

def edwards_checked(data):
    """Canonical and not of small order. (No point at all: then no signature verifies.)"""
    y = int.from_bytes(data, "little") & (2**255 - 1)
    need(y < P25519 and y not in Y_OF_SMALL_ORDER, "Ed25519: not canonical or of small order")

def ed25519_public(seed): return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()

def verify(key, signature, *parts):
    """Strict: the key and the signature's point are canonical and not of small order."""
    edwards_checked(key)
    edwards_checked(signature[:32])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, lps(*parts))
    except InvalidSignature:
        raise Refused("signature") from None

def x25519(secret, public):
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise Refused("X25519: of small order") from None

def x25519_public(secret): return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

@functools.lru_cache(maxsize=None)
def xwing_expand(seed):
    """The public key (ML-KEM's, then X25519's) and the secret keys of both."""
    d_z_x = hashlib.shake_256(seed).digest(96)
    ek, dk = ML_KEM_768._keygen_internal(d_z_x[:32], d_z_x[32:64])
    return ek + x25519_public(d_z_x[64:]), dk, d_z_x[64:]

def xwing_public(seed): return xwing_expand(seed)[0]

def xwing_combine(ss_m, ss_x, ct_x, pk_x):
    return hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + b"\\.//^\\").digest()

def xwing_encapsulate(public, eseed):
    """Ciphertext and shared secret; eseed is ML-KEM's m, then the X25519 secret."""
    xwing_check(public)
    ss_m, ct_m = ML_KEM_768._encaps_internal(public[:1184], eseed[:32])
    ct_x, ss_x = x25519_public(eseed[32:]), x25519(eseed[32:], public[1184:])
    return ct_m + ct_x, xwing_combine(ss_m, ss_x, ct_x, public[1184:])

def xwing_decapsulate(seed, ciphertext):
    public, dk, x_secret = xwing_expand(seed)
    ct_m, ct_x = ciphertext[:1088], ciphertext[1088:]
    ss_x = x25519(x_secret, ct_x)
    return xwing_combine(ML_KEM_768._decaps_internal(dk, ct_m), ss_x, ct_x, public[1184:])

ORDER_8 = [int.from_bytes(bytes.fromhex(u), "little") for u in (
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
)]

def xwing_check(public):
    """FIPS 203's check of the ML-KEM half, and the form of the X25519 half."""
    for i in range(0, 1152, 3):
        two = int.from_bytes(public[i : i + 3], "little")
        need(two & 0xFFF < 3329 and two >> 12 < 3329, "ML-KEM: coefficient above q")
    u, p = int.from_bytes(public[1184:], "little"), 2**255 - 19
    need(u < p, "X25519: not canonical")
    need(u not in (0, 1, *ORDER_8, p - 1), "X25519: small order")
    return public

def mgf1(seed, size): return b"".join(sha256(seed + u32(i)) for i in range(-(-size // 32)))[:size]
def xor(a, b): return bytes(x ^ y for x, y in zip(a, b, strict=True))

def oaep_encrypt(modulus, message, label, seed):
    db = sha256(label) + bytes(384 - len(message) - 66) + b"\x01" + message
    masked = xor(db, mgf1(seed, 351))
    block = b"\x00" + xor(seed, mgf1(masked, 32)) + masked
    return pow(int.from_bytes(block), 65537, modulus).to_bytes(384)

def oaep_decrypt(p, q, ciphertext, label):
    """None if OAEP fails."""
    c, n = int.from_bytes(ciphertext), p * q
    if c >= n:
        return None
    block = pow(c, pow(65537, -1, (p - 1) * (q - 1)), n).to_bytes(384)
    seed = xor(block[1:33], mgf1(block[33:], 32))
    db = xor(block[33:], mgf1(seed, 351))
    mark, message = db[32:].lstrip(b"\x00")[:1], db[32:].lstrip(b"\x00")[1:]
    return message if block[0] == 0 and db[:32] == sha256(label) and mark == b"\x01" else None

# ---------------------------------------------------------------- §1 Notation

# Strings in parts are labels. Extract and Expand are those of HKDF; the salt is taken as it is.
def u8(x): return x.to_bytes(1)
def u32(x): return x.to_bytes(4)
def u64(x): return x.to_bytes(8)
def lp(x): return u32(len(x)) + x
def lps(*parts): return b"".join(lp(part.encode() if isinstance(part, str) else part) for part in parts)
def H(*parts): return sha256(lps(*parts))
def sign(seed, *parts): return Ed25519PrivateKey.from_private_bytes(seed).sign(lps(*parts))

def extract(salt, *parts): return mac(salt, lps(*parts))
def expand(prk, *parts, size): return hkdf_expand(prk, lps(*parts), size)

class Reader:
    """Received bytes from front to back."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        need(self.at + size <= len(self.data), "cut short")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size): return int.from_bytes(self.take(size))
    def lp(self): return self.take(self.number(4))
    def rest(self): return self.take(len(self.data) - self.at)
    def end(self): need(self.at == len(self.data), "trailing bytes")

    def one_of(self, *values):
        value = self.number(1)
        need(value in values, f"a byte {value} that is none of {values}")
        return value

# ---------------------------------------------------------------- §2 Keys

# The canonical SubjectPublicKeyInfo of an RSA key of 3,072 bits with e = 65537 is these bytes, the
# modulus (384 bytes, the highest bit set) and the exponent.
SPKI_HEAD = bytes.fromhex("308201a2300d06092a864886f70d01010105000382018f003082018a0282018100")
SPKI_TAIL = bytes.fromhex("0203010001")

def read_spki(data):
    """The modulus."""
    need(len(data) == 422 and data.startswith(SPKI_HEAD) and data.endswith(SPKI_TAIL), "RSA key")
    modulus = int.from_bytes(data[33:417])
    need(modulus.bit_length() == 3072 and modulus & 1, "RSA modulus")
    return modulus

DeviceList = namedtuple("DeviceList", "data version previous devices")  # §2.3

def read_device_list(reader):
    start = reader.at
    version, previous, count = reader.number(4), reader.take(32), reader.number(4)
    need(version >= 1 and (version == 1) == (previous == bytes(32)), "device list: version and link")
    need(1 <= count <= 64, "device list: count")
    devices = [(reader.number(4), reader.take(32)) for _ in range(count)]
    numbers = [number for number, _ in devices]
    need(numbers == sorted(set(numbers)), "device list: order")
    return DeviceList(reader.data[start : reader.at], version, previous, devices)

def read_signed_list(ak, data):
    reader = Reader(data)
    devices, signature = read_device_list(reader), reader.take(64)
    reader.end()
    verify(ak, signature, "Sotto/1 device list", ak, devices.data)
    return devices

def device_list_hash(ak, devices): return H("Sotto/1 device list hash", ak, devices.data)

def check_follows(ak, old, new):
    if new.data == old.data:
        return
    need(new.version > old.version, "device list: older or a fork")
    if new.version == old.version + 1:
        need(new.previous == device_list_hash(ak, old), "device list: does not link")

def device_id(ak, number, spki, ik_sig):  # §2.2
    return H("Sotto/1 device", ak, u32(number), spki, ik_sig)

Identity = namedtuple("Identity", "data ak devices number spki modulus ik_sig id account")  # §2.4

def read_identity(data):
    need(len(data) <= 4096, "identity: length")
    reader = Reader(data)
    reader.one_of(1)
    ak = reader.take(32)
    devices, list_signature = read_device_list(reader), reader.take(64)
    number, spki, ik_sig, own_signature = reader.number(4), reader.lp(), reader.take(32), reader.take(64)
    reader.end()
    edwards_checked(ak)
    edwards_checked(ik_sig)
    modulus = read_spki(spki)
    own_id = device_id(ak, number, spki, ik_sig)
    verify(ak, list_signature, "Sotto/1 device list", ak, devices.data)
    need((number, own_id) in devices.devices, "identity: not in the list")
    verify(ik_sig, own_signature, "Sotto/1 device self", own_id)
    account = H("Sotto/1 account", ak)  # §2.1
    return Identity(data, ak, devices, number, spki, modulus, ik_sig, own_id, account)

def write_identity(ak_seed, sig_seed, modulus, number, list_bytes):
    ak, ik_sig = ed25519_public(ak_seed), ed25519_public(sig_seed)
    spki = SPKI_HEAD + modulus.to_bytes(384) + SPKI_TAIL
    own = sign(sig_seed, "Sotto/1 device self", device_id(ak, number, spki, ik_sig))
    list_signature = sign(ak_seed, "Sotto/1 device list", ak, list_bytes)
    return u8(1) + ak + list_bytes + list_signature + u32(number) + lp(spki) + ik_sig + own

def safety_number(one, other):  # §2.5
    prk = extract(b"Sotto/1 safety number", *sorted([one, other]))
    out = expand(prk, "Sotto/1 safety number", size=60)
    return " ".join(f"{int.from_bytes(out[i : i + 5]) % 100_000:05}" for i in range(0, 60, 5))

def read_safety_number(text):
    """Exactly as printed."""
    need(len(text) == 71, "safety number: length")
    for i, c in enumerate(text):
        need(c == " " if i % 6 == 5 else c in "0123456789", "safety number: character")
    return text

SIGNED, ONE_TIME = 1, 2

Prekey = namedtuple("Prekey", "kind id not_after public")  # §2.6

def prekey_parts(prekey, owner_id):
    numbers = u32(prekey.id), u64(prekey.not_after)
    return "Sotto/1 prekey", u8(prekey.kind), owner_id, *numbers, prekey.public

def read_prekey(data, owner):
    reader = Reader(data)
    reader.one_of(1)
    kind, number, end = reader.one_of(SIGNED, ONE_TIME), reader.number(4), reader.number(8)
    prekey = Prekey(kind, number, end, xwing_check(reader.take(1216)))
    signature = reader.take(64)
    reader.end()
    verify(owner.ik_sig, signature, *prekey_parts(prekey, owner.id))
    return prekey

def write_prekey(stored, secrets):
    prekey = Prekey(stored.kind, stored.id, stored.not_after, xwing_public(stored.seed))
    signature = sign(secrets.sig_seed, *prekey_parts(prekey, secrets.identity.id))
    head = u8(1) + u8(prekey.kind) + u32(prekey.id) + u64(prekey.not_after)
    return head + prekey.public + signature

def check_bundle(owner, signed, one_time, now):  # §2.7
    records = [(signed, SIGNED)] + ([(one_time, ONE_TIME)] if one_time else [])
    prekeys = [read_prekey(record, owner) for record, _ in records]
    for prekey, (_, kind) in zip(prekeys, records):
        need(prekey.kind == kind and now <= prekey.not_after, "prekey: kind or end")
    return prekeys

# ---------------------------------------------------------------- §3 Handshake

SUITE = "RSA-3072-OAEP-SHA256+X-Wing+Ed25519+AES-256-GCM+HKDF-SHA256"

Handshake = namedtuple("Handshake", "data one_time spk_id opk_id c1 c2 c3 rek c4")  # §3.1; absent parts are empty

def read_handshake(reader, one_time):
    start = reader.at
    spk_id, opk_id = reader.take(4), reader.take(4) if one_time else b""
    c1, c2, c3 = reader.take(384), reader.take(1120), reader.take(1120) if one_time else b""
    rek, c4 = reader.take(1216), reader.lp()
    data = reader.data[start : reader.at]
    return Handshake(data, one_time, spk_id, opk_id, c1, c2, c3, rek, c4)

def handshake_digest(handshake):  # §3.4
    return H("Sotto/1 skx digest", u8(handshake.one_time), handshake.data)

def oaep_label(device): return lps("Sotto/1 oaep", device)

def reject_secret(k_reject, device, c1):  # §3.3
    return mac(k_reject, lps("Sotto/1 oaep reject", device, c1))

def transcript(device, spk_id, spk, opk_id, opk, c1, c2, c3, rek):
    return H("Sotto/1 skx t0", SUITE, device, spk_id, spk, opk_id, opk, c1, c2, c3, rek)

def first_keys(t0, s, ss2, ss3):
    p0 = extract(t0, s, ss2, ss3)
    return {"t0": t0, "s": s, "ss2": ss2, "ss3": ss3, "p0": p0, "k_id": expand(p0, "Sotto/1 skx id", size=32)}

def session_keys(first, initiator_id):
    t1 = H("Sotto/1 skx t1", first["t0"], initiator_id)
    p1 = extract(t1, first["p0"])
    return {"t1": t1, "p1": p1, "keys": expand(p1, "Sotto/1 skx keys", size=192)}

@dataclass
class Chain:
    epoch: int
    hk: bytes  # hk_enc || hk_tag, derived
    ck: bytes | None  # None: closed
    next: int
    kept: dict = field(default_factory=dict)  # n: (since, MK)

@dataclass
class Session:  # §4.1, in the order of §9.3
    sid: bytes
    role: int  # 0 initiator
    peer_id: bytes
    peer_account: bytes
    rk: bytes
    own_turn: bool
    turn_key: bytes  # one's own turn: the peer's unused key; else: the seed of the own one
    sending: Chain | None
    pn: int  # messages of the own chain before
    next_send: bytes
    next_receive: bytes
    announce: tuple  # (), ("step", ct, ek'), ("handshake", Handshake)
    stepped_at: int  # the beginning of the session counts as a step
    acknowledged: int  # 0 only for an initiator that has opened nothing
    receiving: list

def new_session(keys, role, peer, handshake, turn_key, now):
    rk, ck, hk, nhk_a, nhk_b, sid = (keys[i : i + 32] for i in range(0, 192, 32))
    to_b, to_a = header_keys(nhk_a), header_keys(nhk_b)
    first = Chain(0, header_keys(hk), ck, 0)
    front = sid, role, peer.id, peer.account, rk
    if role == 0:
        return Session(*front, False, turn_key, first, 0, to_b, to_a, ("handshake", handshake), now, 0, [])
    return Session(*front, True, turn_key, None, 0, to_a, to_b, (), now, 1, [first])

def start(secrets, peer, signed, one_time, random, now):
    """§3.2. The session and the values between; random is s, the OAEP seed, eseeds, rek's seed."""
    need(peer.id != secrets.identity.id, "a session with oneself")
    s, oaep_seed = random.take(32), random.take(32)
    c1 = oaep_encrypt(peer.modulus, s, oaep_label(peer.id), oaep_seed)
    c2, ss2 = xwing_encapsulate(signed.public, random.take(64))
    c3, ss3 = xwing_encapsulate(one_time.public, random.take(64)) if one_time else (b"", b"")
    opk_id, opk = (u32(one_time.id), one_time.public) if one_time else (b"", b"")
    seed = random.take(32)
    rek = xwing_public(seed)
    t0 = transcript(peer.id, u32(signed.id), signed.public, opk_id, opk, c1, c2, c3, rek)
    values = first_keys(t0, s, ss2, ss3)
    values |= session_keys(values, secrets.identity.id)
    plain = lp(secrets.identity.data) + sign(secrets.sig_seed, "Sotto/1 skx auth", values["t1"])
    c4 = seal_gcm(values["k_id"], bytes(12), t0, plain)
    data = u32(signed.id) + opk_id + c1 + c2 + c3 + rek + lp(c4)
    handshake = read_handshake(Reader(data), one_time is not None)
    values |= {"c4_plaintext": plain, "digest": handshake_digest(handshake)}
    return new_session(values["keys"], 0, peer, handshake, seed, now), values

@dataclass
class Mailbox:
    """What a recipient needs for first packets: secrets, prekeys by kind and id, digests seen."""

    secrets: tuple
    prekeys: dict
    seen: set = field(default_factory=set)

def accept(mailbox, packet, now):
    """§3.3, §3.4. The session, the content and the values between; changes mailbox at the end."""
    handshake = read_packet(packet).handshake
    need(handshake is not None, "no handshake")
    digest = handshake_digest(handshake)
    need(digest not in mailbox.seen, "replayed handshake")
    own = mailbox.secrets
    signed = mailbox.prekeys.get((SIGNED, handshake.spk_id))
    one_time = mailbox.prekeys.get((ONE_TIME, handshake.opk_id)) if handshake.one_time else None
    need(signed and (one_time or not handshake.one_time), "unknown prekey")
    s = oaep_decrypt(own.p, own.q, handshake.c1, oaep_label(own.identity.id))
    if s is None or len(s) != 32:
        s = reject_secret(own.k_reject, own.identity.id, handshake.c1)
    ss2 = xwing_decapsulate(signed.seed, handshake.c2)
    ss3 = xwing_decapsulate(one_time.seed, handshake.c3) if one_time else b""
    opk = xwing_public(one_time.seed) if one_time else b""
    parts = handshake.c1, handshake.c2, handshake.c3, handshake.rek
    t0 = transcript(own.identity.id, handshake.spk_id, xwing_public(signed.seed), handshake.opk_id, opk, *parts)
    values = first_keys(t0, s, ss2, ss3)
    plain = open_gcm(values["k_id"], bytes(12), t0, handshake.c4)
    reader = Reader(plain)
    peer, signature = read_identity(reader.lp()), reader.take(64)
    reader.end()
    values |= session_keys(values, peer.id)
    verify(peer.ik_sig, signature, "Sotto/1 skx auth", values["t1"])
    need(peer.id != own.identity.id, "a session with oneself")
    session = new_session(values["keys"], 1, peer, None, xwing_check(handshake.rek), now)
    session, content = open_packet(session, packet, now)
    mailbox.seen.add(digest)
    if one_time:
        del mailbox.prekeys[ONE_TIME, handshake.opk_id]
    return session, content, values | {"c4_plaintext": plain, "digest": digest}

# ---------------------------------------------------------------- §4 Ratchet

AHEAD, KEPT, CHAINS, KEPT_SECONDS = 2000, 1000, 5, 30 * 24 * 3600
LAST = 0xFFFF_FFFF  # never given to a message, so that the next number always fits its four bytes

def message_key(ck): return mac(ck, b"\x01"), mac(ck, b"\x02")  # MK and the next CK (§4.2)

def body_key(mk, r16):
    out = expand(extract(r16, mk), "Sotto/1 msg", size=44)
    return out[:32], out[32:]

def step_hash(ct, ek): return H("Sotto/1 skr keys", ct, ek)

def step_keys(rk, ss, sid, epoch, h):  # RK, CK, NHK (§4.3)
    return expand(extract(rk, ss), "Sotto/1 skr step", sid, u32(epoch), h, size=96)

def step_is_due(session, capsule, now):
    if not session.own_turn:
        return False
    if session.sending is None or session.sending.next == LAST:
        return True
    since = abs(now - session.stepped_at)
    return since >= 3600 or session.sending.next >= 50 if capsule else since >= 20

def step(session, random, now):
    ct, ss = xwing_encapsulate(session.turn_key, random.take(64))
    seed = random.take(32)
    ek = xwing_public(seed)
    epoch = session.sending.epoch + 2 if session.sending else 1
    out = step_keys(session.rk, ss, session.sid, epoch, step_hash(ct, ek))
    session.pn = session.sending.next if session.sending else 0
    session.sending = Chain(epoch, session.next_send, out[32:64], 0)
    session.rk, session.next_send = out[:32], header_keys(out[64:])
    session.own_turn, session.turn_key = False, seed
    session.announce, session.stepped_at = ("step", ct, ek), now

def follow_step(session, header, now):
    """The peer's step: closes the live chain and begins the next one."""
    ss = xwing_decapsulate(session.turn_key, header.ct)
    out = step_keys(session.rk, ss, session.sid, header.epoch, step_hash(header.ct, header.ek))
    if session.receiving:
        live = session.receiving[-1]
        skip(live, min(header.pn, live.next + AHEAD), now)
        live.ck = None
    session.receiving.append(Chain(header.epoch, session.next_receive, out[32:64], 0))
    session.rk, session.next_receive = out[:32], header_keys(out[64:])
    session.own_turn, session.turn_key = True, xwing_check(header.ek)
    session.announce = ()

def skip(chain, to, now):
    while chain.next < to:
        mk, chain.ck = message_key(chain.ck)
        chain.kept[chain.next] = (now, mk)
        chain.next += 1

def prune(session, now):
    """The bounds of §4.4. A closed chain without a kept key is dropped."""
    for chain in session.receiving:
        chain.kept = {n: key for n, key in chain.kept.items() if now - key[0] < KEPT_SECONDS}
    while sum(len(chain.kept) for chain in session.receiving) > KEPT:
        oldest = next(chain for chain in session.receiving if chain.kept)
        del oldest.kept[min(oldest.kept)]
    session.receiving = [chain for chain in session.receiving if chain.ck or chain.kept][-CHAINS:]

# ---------------------------------------------------------------- §5 Packets

HANDSHAKE, WITH_ONE_TIME, STEP = 1, 2, 4

@dataclass
class Packet:
    flags: int
    handshake: Handshake | None
    tag16: bytes
    r16: bytes
    hdr: bytes = b""
    body: bytes = b""

    def digest(self): return handshake_digest(self.handshake) if self.handshake else b""
    def front(self): return u8(1) + u8(self.flags)

def read_packet(data):  # §5.1
    need(len(data) <= 65536, "packet: length")
    reader = Reader(data)
    reader.one_of(1)
    flags = reader.one_of(0, HANDSHAKE, HANDSHAKE | WITH_ONE_TIME, STEP)
    handshake = read_handshake(reader, flags & WITH_ONE_TIME != 0) if flags & HANDSHAKE else None
    tag16, r16, hdr = reader.take(16), reader.take(16), reader.take(2368 if flags & STEP else 32)
    body = reader.rest()
    need(len(body) == 64 + 16 or len(body) >= 256 + 16, "packet: body")
    return Packet(flags, handshake, tag16, r16, hdr, body)

Header = namedtuple("Header", "epoch n pn ack ct ek")

def header_keys(hk):  # §5.2
    return expand(hk, "Sotto/1 hdr enc", size=32) + expand(hk, "Sotto/1 hdr tag", size=32)

def tag(hk_tag, n): return aes_block(hk_tag).encryptor().update(u32(n) + bytes(12))

def header_aad(p): return lps("Sotto/1 hdr aad", p.front(), p.digest(), p.tag16, p.r16)

def body_aad(p, sid, direction):  # §5.3
    place = sid, u8(direction)
    return lps("Sotto/1 aad", *place, p.front(), p.digest(), p.r16, p.tag16, p.hdr)

def padded_size(size):  # §5.4
    for step_size in (256, 512, 1024, 2048, 4096):
        if size <= step_size:
            return step_size
    e = size.bit_length() - 1
    unit = 1 << (e - e.bit_length())  # S = ⌊log2 E⌋ + 1, the length of E in bits
    return -(-size // unit) * unit

def pad(text):
    need(len(text) <= 53_247, "text: length")
    return (text + b"\x80").ljust(padded_size(len(text) + 1), b"\x00")

def unpad(padded):
    text = padded.rstrip(b"\x00")
    need(text.endswith(b"\x80"), "padding: end mark")
    need(pad(text[:-1]) == padded, "padding: size")
    return text[:-1]

def seal_packet(session, text, capsule, random, now):
    """The session after it and the packet; exactly one of text and capsule is not None."""
    session = copy.deepcopy(session)
    prune(session, now)
    if step_is_due(session, capsule is not None, now):
        step(session, random, now)
    need(session.sending, "nothing to send in")
    need(session.sending.next < LAST, "exhausted")
    n, r16 = session.sending.next, random.take(16)
    mk, session.sending.ck = message_key(session.sending.ck)
    session.sending.next += 1
    hk, epoch, content = session.sending.hk, session.sending.epoch, capsule or pad(text)
    packet, keys = Packet(0, None, tag(hk[32:], n), r16), b""
    match session.announce:
        case ("handshake", handshake):
            packet.handshake = handshake
            packet.flags = HANDSHAKE | (WITH_ONE_TIME if packet.handshake.one_time else 0)
        case ("step", ct, ek):
            packet.flags, keys = STEP, ct + ek
    ack = session.receiving[-1].epoch if session.receiving else 0
    header = u32(epoch) + u32(n) + u32(session.pn) + u32(ack) + keys
    packet.hdr = seal_gcm(hk[:32], r16[:12], header_aad(packet), header)
    key, nonce = body_key(mk, r16)
    packet.body = seal_gcm(key, nonce, body_aad(packet, session.sid, session.role), content)
    handshake = packet.handshake.data if packet.handshake else b""
    return session, packet.front() + handshake + packet.tag16 + r16 + packet.hdr + packet.body

def find_place(session, tag16):
    """The chain (None: the next one) and n."""
    for chain in [*session.receiving, None]:
        hk = chain.hk if chain else session.next_receive
        block = aes_block(hk[32:]).decryptor().update(tag16)
        if block[4:] == bytes(12):
            return chain, int.from_bytes(block[:4])
    raise Refused("no chain has this tag")

def open_packet(session, data, now):
    """The session after it and what was in the packet, ("text" or "capsule", bytes)."""
    packet = read_packet(data)
    session = copy.deepcopy(session)  # §4.5
    prune(session, now)
    chain, n = find_place(session, packet.tag16)
    hk = chain.hk if chain else session.next_receive
    reader = Reader(open_gcm(hk[:32], packet.r16[:12], header_aad(packet), packet.hdr))
    numbers = [reader.number(4) for _ in range(4)]
    keys = (reader.take(1120), reader.take(1216)) if packet.flags & STEP else (b"", b"")
    header = Header(*numbers, *keys)
    reader.end()
    if chain is None:
        need(packet.flags & STEP and not session.own_turn, "a chain begins with a step")
        need(header.epoch == (session.receiving[-1].epoch + 2 if session.receiving else 1), "header: epoch")
        follow_step(session, header, now)
        chain = session.receiving[-1]
    need(header.epoch == chain.epoch and header.n == n, "header: place")
    if chain.ck and n >= chain.next:
        need(n - chain.next <= AHEAD and n < LAST, "too far ahead")
        skip(chain, n, now)
        mk, chain.ck = message_key(chain.ck)
        chain.next += 1
    else:
        need(n in chain.kept, "opened before, or dropped")
        _, mk = chain.kept.pop(n)
    key, nonce = body_key(mk, packet.r16)
    content = open_gcm(key, nonce, body_aad(packet, session.sid, 1 - session.role), packet.body)
    out = ("capsule", content) if len(content) == 64 else ("text", unpad(content))
    match session.announce:
        case ("handshake", _):
            session.announce = ()
        case ("step", _, _) if header.ack == session.sending.epoch:
            session.announce = ()
    session.acknowledged = 1
    prune(session, now)
    return session, out

# ---------------------------------------------------------------- §7 At rest

PASSPHRASE, KEY_FILE, KEYRING = 1, 2, 4

def slot_key(kind, secret, salt, cost):
    memory, passes, lanes = cost
    if kind in (KEY_FILE, KEYRING):
        x = extract(salt, secret)
    else:
        x = hash_secret_raw(secret, salt, passes, memory, lanes, 32, Type.ID, 0x13)
    return expand(x, "Sotto/1 vault slot", u8(kind), size=32)

def vault_aad(prefix, kind): return lps("Sotto/1 vault aad", prefix, u8(kind))

def read_vault(data):
    """Prefix, salt, cost and slots."""
    reader = Reader(data)
    need(reader.take(8) == b"SottoVlt", "vault: magic")
    reader.one_of(1)
    cost, salt = tuple(reader.number(4) for _ in range(3)), reader.take(32)
    memory, passes, lanes = cost
    need(65_536 <= memory <= 1_048_576 and 3 <= passes <= 10 and 1 <= lanes <= 4, "vault: cost")
    prefix, count = data[: reader.at], reader.number(4)
    need(1 <= count <= 8, "vault: count")
    slots = [(reader.number(1), reader.take(12), reader.take(48)) for _ in range(count)]
    reader.end()
    return prefix, salt, cost, slots

def open_vault(data, kind, secret):
    """The master key."""
    prefix, salt, cost, slots = read_vault(data)
    slots = [(nonce, wrapped) for slot_kind, nonce, wrapped in slots if slot_kind == kind]
    need(slots, "vault: no such slot")
    key = slot_key(kind, secret, salt, cost)
    for nonce, wrapped in slots:
        try:
            return open_gcm(key, nonce, vault_aad(prefix, kind), wrapped)
        except Refused:
            pass
    raise Refused("vault: wrong secret")

def database_key(master): return expand(master, "Sotto/1 vault database", size=32)

# ---------------------------------------------------------------- §8 Login

def login_parts(relay, ik_sig, exporter): return "Sotto/1 relay-auth", relay, ik_sig, exporter

# ---------------------------------------------------------------- §9 Stored records

Secrets = namedtuple("Secrets", "ak_seed sig_seed p q k_reject identity")  # §9.1

def read_secrets(data):
    reader = Reader(data)
    reader.one_of(1)
    ak_seed, sig_seed = reader.take(32), reader.take(32)
    p, q, k_reject = reader.number(192), reader.number(192), reader.take(32)
    identity = read_identity(reader.lp())
    reader.end()
    need(ed25519_public(ak_seed) == identity.ak, "identity: account seed")
    need(ed25519_public(sig_seed) == identity.ik_sig, "identity: device seed")
    need(p * q == identity.modulus and 1 not in (p, q), "identity: primes")
    return Secrets(ak_seed, sig_seed, p, q, k_reject, identity)

def write_secrets(s):
    primes = s.p.to_bytes(192) + s.q.to_bytes(192)
    return u8(1) + s.ak_seed + s.sig_seed + primes + s.k_reject + lp(s.identity.data)

StoredPrekey = namedtuple("StoredPrekey", "kind id not_after seed")  # §9.2

def read_stored_prekey(data):
    reader = Reader(data)
    reader.one_of(1)
    kind = reader.one_of(SIGNED, ONE_TIME)
    stored = StoredPrekey(kind, reader.number(4), reader.number(8), reader.take(32))
    reader.end()
    return stored

def write_stored_prekey(s): return u8(1) + u8(s.kind) + u32(s.id) + u64(s.not_after) + s.seed

def read_session(data):  # §9.3
    reader = Reader(data)
    reader.one_of(1)
    sid, role, peer_id, peer_account = reader.take(32), reader.one_of(0, 1), reader.take(32), reader.take(32)
    rk, own_turn = reader.take(32), reader.one_of(0, 1) == 0
    turn_key = xwing_check(reader.take(1216)) if own_turn else reader.take(32)
    sending = None
    if reader.one_of(0, 1):
        sending = Chain(reader.number(4), reader.take(64), reader.take(32), reader.number(4))
    pn, next_send, next_receive = reader.number(4), reader.take(64), reader.take(64)
    announce = ()
    match reader.one_of(0, 1, 2):
        case 1:
            announce = ("step", reader.take(1120), reader.take(1216))
        case 2:
            one_time, inner = reader.one_of(0, 1) == 1, Reader(reader.lp())
            announce = ("handshake", read_handshake(inner, one_time))
            inner.end()
    stepped_at, acknowledged, count = reader.number(8), reader.one_of(0, 1), reader.number(4)
    need(count <= CHAINS, "session: chains")
    receiving = []
    for i in range(count):
        chain = Chain(reader.number(4), reader.take(64), None, 0)
        if reader.one_of(0, 1):
            need(i == count - 1, "session: a live chain that is not the last")
            chain.ck, chain.next = reader.take(32), reader.number(4)
        for _ in range(reader.number(4)):
            n, since, mk = reader.number(4), reader.number(8), reader.take(32)
            need(not chain.kept or n > max(chain.kept), "session: order of keys")
            chain.kept[n] = (since, mk)
        receiving.append(chain)
    reader.end()
    need(all(a.epoch < b.epoch for a, b in zip(receiving, receiving[1:])), "session: order of chains")
    need(sum(len(chain.kept) for chain in receiving) <= KEPT, "session: kept keys")
    return Session(
        sid, role, peer_id, peer_account, rk, own_turn, turn_key, sending, pn, next_send, next_receive,
        announce, stepped_at, acknowledged, receiving,
    )  # fmt: skip

def write_session(s):
    out = u8(1) + s.sid + u8(s.role) + s.peer_id + s.peer_account + s.rk + u8(not s.own_turn) + s.turn_key
    c = s.sending
    out += u8(1) + u32(c.epoch) + c.hk + c.ck + u32(c.next) if c else u8(0)
    out += u32(s.pn) + s.next_send + s.next_receive
    match s.announce:
        case ("step", ct, ek):
            out += u8(1) + ct + ek
        case ("handshake", handshake):
            out += u8(2) + u8(handshake.one_time) + lp(handshake.data)
        case _:
            out += u8(0)
    out += u64(s.stepped_at) + u8(s.acknowledged) + u32(len(s.receiving))
    for chain in s.receiving:
        out += u32(chain.epoch) + chain.hk
        out += u8(1) + chain.ck + u32(chain.next) if chain.ck else u8(0)
        out += u32(len(chain.kept))
        for n, (since, mk) in sorted(chain.kept.items()):
            out += u32(n) + u64(since) + mk
    return out

# ---------------------------------------------------------------- §10 Groups

def group_members(accounts): return H("Sotto/1 group members", *sorted(set(accounts)))

def group_place(group, epoch, members, sender, previous):
    return H("Sotto/1 group context", group, u32(epoch), members, sender, previous)

def group_keys(place, key):
    """com, K and N."""
    out = expand(extract(place, key), "Sotto/1 group body", size=76)
    return out[:32], out[32:64], out[64:]

def group_id(body): return H("Sotto/1 group message", body)

def seal_group(place, key, text):
    com, k, nonce = group_keys(place, key)
    body = u8(1) + com + seal_gcm(k, nonce, place, pad(text))
    return body, key + group_id(body)

def open_group(place, capsule, body):
    need(len(capsule) == 64, "capsule: length")
    need(group_id(body) == capsule[32:], "capsule: id")
    reader = Reader(body)
    reader.one_of(1)
    com, k, nonce = group_keys(place, capsule[:32])
    need(reader.take(32) == com, "group body: commitment")
    return unpad(open_gcm(k, nonce, place, reader.rest()))

# ---------------------------------------------------------------- §11 Attachments

CHUNK = 16_384

def attachment_keys(key, salt):
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" + b"\x00" + salt + b"Sotto/1 attachment"
    out = hkdf_expand(key, info, 76, "sha512")
    return out[:32], out[32:44], out[44:]

def chunk_nonce(nonce, i): return xor(nonce, bytes(7) + i.to_bytes(5))

def seal_attachment(key, salt, data):
    inner, nonce, commitment = attachment_keys(key, salt)
    chunks = [data[i : i + CHUNK] for i in range(0, len(data) + 1, CHUNK)]
    sealed = (seal_gcm(inner, chunk_nonce(nonce, i), b"", chunk) for i, chunk in enumerate(chunks))
    return salt + commitment + b"".join(sealed)

def open_attachment(key, sealed):
    reader = Reader(sealed)
    inner, nonce, commitment = attachment_keys(key, reader.take(24))
    need(reader.take(32) == commitment, "attachment: commitment")
    out = b""
    for i in range((len(sealed) - 56) // (CHUNK + 16) + 1):
        chunk = reader.take(min(CHUNK + 16, len(sealed) - reader.at))
        out += open_gcm(inner, chunk_nonce(nonce, i), b"", chunk)
    return out

# ---------------------------------------------------------------- Reading the vectors

class Fields:
    """An object of a file. Everything in it has to be read, or the check is not complete."""

    def __init__(self, where, values):
        self.where, self.values, self.unread = where, values, set(values)

    def __contains__(self, name): return name in self.values
    def hex(self, name): return bytes.fromhex(self[name])
    def optional(self, name): return None if self[name] is None else self.hex(name)

    def __getitem__(self, name):
        if name not in self.values:
            raise Disagreement(f"{self.where}: has no {name}")
        self.unread.discard(name)
        return self.values[name]

    def same(self, name, mine):
        """This implementation's value against the one in the file."""
        same(f"{self.where}: {name}", mine, self.hex(name) if isinstance(mine, bytes) else self[name])

    def of(self, kind, good):
        """What "KIND N" names: the Nth of the good ones."""
        word, _, number = self["of"].rpartition(" ")
        if word != kind or not number.isdecimal() or int(number) >= len(good):
            raise Disagreement(f"{self.where}: {self['of']!r} is not the place of a {kind}")
        return good[int(number)]

    def pick(self, name, table):
        """What the table has for the value of this field."""
        if self[name] not in table:
            raise Disagreement(f"{self.where}: unknown {name}")
        return table[self[name]]

    def changed(self, data): return changed(self.where, data, self["change"])

    def done(self):
        if self.unread:
            raise Disagreement(f"{self.where}: not checked: {', '.join(sorted(self.unread))}")

def must_refuse(f, attempt, *args):
    try:
        attempt(*args)
    except Refused:
        return
    raise Disagreement(f"{f.where}: was accepted")

def same(where, mine, theirs):
    if mine == theirs:
        return
    if isinstance(mine, bytes) and isinstance(theirs, bytes):
        short = min(len(mine), len(theirs))
        at = next((i for i in range(short) if mine[i] != theirs[i]), short)
        lengths = f"{len(mine)} and {len(theirs)} bytes, from byte {at} on"
        here, there = mine[at : at + 16].hex(), theirs[at : at + 16].hex()
        raise Disagreement(f"{where}: {lengths}: here {here}, there {there}")
    raise Disagreement(f"{where}: here {mine!r}, there {theirs!r}")

def changed(where, data, change):
    """The bytes after a change (README.md)."""
    if len(change) != 1:
        raise Disagreement(f"{where}: {len(change)} changes")
    kind, value = next(iter(change.items()))
    at = value["at"] if isinstance(value, dict) else 0
    match kind:
        case "flip":
            out = data[:at] + bytes([data[at] ^ int(value["with"], 16)]) + data[at + 1 :]
        case "put":
            new = bytes.fromhex(value["bytes"])
            out = data[:at] + new + data[at + len(new) :]
        case "cut":
            out = data[:value]
        case "append":
            return data + bytes.fromhex(value)
        case "remove":
            out = data[:at] + data[at + value["bytes"] :]
        case _:
            raise Disagreement(f"{where}: unknown change {kind}")
    if out == data or len(out) > len(data):
        raise Disagreement(f"{where}: the change changes nothing or is out of range")
    return out

def load(name):
    data = json.loads((HERE / name).read_text(encoding="utf-8"))
    if set(data) != {"cases", "refused"}:
        raise Disagreement(f"{name}: has {sorted(data)}")
    label = lambda i, case: case.get("what") or case.get("name") or case.get("do") or i
    cases = [Fields(f"{name}, case {i} ({label(i, c)})", c) for i, c in enumerate(data["cases"])]
    refused = [Fields(f"{name}, refused {i} ({label(i, c)})", c) for i, c in enumerate(data["refused"])]
    for one in refused:
        one["refusal"], one["what"]  # their names are free
    return cases, refused

def people():
    """Alice and Bob of identities.json, by name."""
    cases, _ = load("identities.json")
    return {case["name"]: read_secrets(case.hex("secrets")) for case in cases}

# ---------------------------------------------------------------- The files

def check_derivations(cases, refused):
    alice = people()["alice"]
    parts = lambda f: [bytes.fromhex(part) for part in f["parts"]]
    names = lambda fields, *values: dict(zip(fields.split(), values, strict=True))

    def message_keys(f):
        key, nonce = body_key(f.hex("mk"), f.hex("r16"))
        return names("key nonce body", key, nonce, seal_gcm(key, nonce, f.hex("aad"), f.hex("padded")))

    def a_step(f):
        h = step_hash(f.hex("ct"), f.hex("ek"))
        return names("h rk_ck_nhk", h, step_keys(f.hex("rk"), f.hex("ss"), f.hex("sid"), f["epoch"], h))

    def both_header_keys(f):
        keys = header_keys(f.hex("hk"))
        return names("hk_enc hk_tag", keys[:32], keys[32:])

    def signature(f):
        verify(f.hex("public"), f.hex("output"), *parts(f))
        return names("public output", ed25519_public(f.hex("seed")), sign(f.hex("seed"), *parts(f)))

    def xwing(f):
        f.same("shared", xwing_decapsulate(f.hex("seed"), f.hex("ciphertext")))
        encapsulated = xwing_encapsulate(f.hex("public"), f.hex("eseed"))
        return names("public ciphertext shared", xwing_public(f.hex("seed")), *encapsulated)

    def rejection(f):
        same(f"{f.where}: of", f["of"], "alice")
        out = reject_secret(alice.k_reject, f.hex("device_id"), f.hex("c1"))
        return names("device_id output", alice.identity.id, out)

    def padding(f):
        text = b"\x80" * f["bytes"]
        same(f.where, unpad(pad(text)), text)
        return {"padded": len(pad(text))}

    makers = {
        "LP": lambda f: {"output": lps(*parts(f))},
        "H": lambda f: {"output": H(*parts(f))},
        "HMAC": lambda f: {"output": mac(f.hex("key"), f.hex("message"))},
        "Extract": lambda f: {"output": extract(f.hex("salt"), *parts(f))},
        "Expand": lambda f: {"output": expand(f.hex("prk"), *parts(f), size=len(f.hex("output")))},
        "Sign": signature,
        "implicit rejection": rejection,
        "chain": lambda f: names("mk next_ck", *message_key(f.hex("ck"))),
        "message key": message_keys,
        "step": a_step,
        "header keys": both_header_keys,
        "tag": lambda f: {"tag16": tag(f.hex("hk_tag"), f["n"])},
        "X-Wing": xwing,
        "padding": padding,
    }
    found = {}
    for f in cases:
        f["section"]
        for name, mine in f.pick("name", makers)(f).items():
            f.same(name, mine)
        found[f["name"]] = f
    same("derivations.json: names", sorted(found), sorted(makers))
    pair = found["X-Wing"]
    attempts = {
        "X-Wing public key": lambda f: (xwing_encapsulate, f.changed(pair.hex("public")), pair.hex("eseed")),
        "X-Wing ciphertext": lambda f: (xwing_decapsulate, pair.hex("seed"), f.changed(pair.hex("ciphertext"))),
        "padding": lambda f: (unpad, f.hex("padded")),
    }
    for f in refused:
        must_refuse(f, *f.pick("of", attempts)(f))

def check_identities(cases, refused):
    by_name = {}
    for f in cases:
        identity, secrets = read_identity(f.hex("identity")), read_secrets(f.hex("secrets"))
        f.same("account_id", identity.account)
        f.same("device_id", identity.id)
        f.same("device_key", identity.ik_sig)
        f.same("secrets", write_secrets(secrets))
        seeds, modulus = (secrets.ak_seed, secrets.sig_seed), secrets.p * secrets.q
        f.same("identity", secrets.identity.data)
        f.same("identity", write_identity(*seeds, modulus, identity.number, identity.devices.data))
        by_name[f["name"]] = identity.data
    for f in refused:
        must_refuse(f, read_identity, f.changed(f.pick("of", by_name)))

def check_device_lists(cases, refused):
    good = []
    for f in cases:
        seed, ak = f.hex("account_seed"), ed25519_public(f.hex("account_seed"))
        devices = read_signed_list(ak, f.hex("list"))  # the list, then its signature
        f.same("list", devices.data + sign(seed, "Sotto/1 device list", ak, devices.data))
        f.same("hash", device_list_hash(ak, devices))
        good.append((ak, devices, f.hex("list")))
        for _, earlier, _ in good:
            check_follows(ak, earlier, devices)
    for f in refused:
        if "old" in f:  # both are good lists
            ak = good[0][0]
            must_refuse(f, check_follows, ak, *(read_signed_list(ak, f.hex(name)) for name in ("old", "new")))
        else:
            ak, _, data = f.of("list", good)
            must_refuse(f, read_signed_list, ak, f.changed(data))

def check_prekeys(cases, refused):
    who, good = people(), []
    for f in cases:
        owner, stored = f.pick("owner", who), read_stored_prekey(f.hex("secret"))
        f.same("secret", write_stored_prekey(stored))
        f.same("record", write_prekey(stored, owner))
        good.append((f.hex("record"), owner.identity, read_prekey(f.hex("record"), owner.identity)))
    (signed, bob, prekey), (one_time, _, _) = good
    end = prekey.not_after
    check_bundle(bob, signed, one_time, end)
    check_bundle(bob, signed, None, end)
    bundles = {
        "record 0 for alice": (who["alice"].identity, signed, None, end),
        "record 1 as the signed one": (bob, one_time, None, end),
        "record 0 as both": (bob, signed, signed, end),
        f"at {end + 1}, after its end": (bob, signed, None, end + 1),
    }
    for f in refused:
        if "of" in f:
            record, owner, _ = f.of("record", good)
            must_refuse(f, read_prekey, f.changed(record), owner)
        else:
            must_refuse(f, check_bundle, *f.pick("what", bundles))

def check_safety_numbers(cases, refused):
    for f in cases:
        one, other = (bytes.fromhex(key) for key in f["account_keys"])
        f.same("number", safety_number(one, other))
        f.same("number", safety_number(other, one))
        f.same("number", read_safety_number(f["number"]))
    for f in refused:
        must_refuse(f, read_safety_number, f["text"])

def check_logins(cases, refused):
    good = []
    for f in cases:
        relay, key, exporter = (f.hex(name) for name in ("relay", "device_key", "exporter"))
        f.same("device_key", ed25519_public(f.hex("device_seed")))
        f.same("signed", lps(*login_parts(relay, key, exporter)))
        f.same("proof", sign(f.hex("device_seed"), *login_parts(relay, key, exporter)))
        verify(key, f.hex("proof"), *login_parts(relay, key, exporter))
        good.append([relay, key, exporter, f.hex("proof")])
    places = {"another relay": 0, "another device": 1, "another connection": 2, "another proof": 3}
    for f in refused:
        values, i = list(f.of("login", good)), f.pick("what", places)
        values[i] = people()["bob"].identity.ik_sig if i == 1 else another(values[i])
        relay, key, exporter, proof = values
        must_refuse(f, verify, key, proof, *login_parts(relay, key, exporter))

def another(data): return data[:-1] + bytes([data[-1] ^ 1])

def mailbox_of(secrets, *prekeys):
    return Mailbox(secrets, {(prekey.kind, u32(prekey.id)): prekey for prekey in prekeys if prekey})

def check_handshake(cases, refused):
    good, now = {}, 1000
    public = lambda stored: stored and Prekey(stored.kind, stored.id, stored.not_after, xwing_public(stored.seed))
    for f in cases:
        alice, bob = read_secrets(f.hex("alice")), read_secrets(f.hex("bob"))
        signed, one_time = read_stored_prekey(f.hex("signed_prekey")), f.optional("one_time_prekey")
        one_time = one_time and read_stored_prekey(one_time)
        eseeds = bytes.fromhex("".join(f["eseed"]))
        same(f"{f.where}: at", f["at"], now)
        random = Reader(f.hex("s") + f.hex("oaep_seed") + eseeds + f.hex("ratchet_seed"))
        f.same("oaep_label", oaep_label(bob.identity.id))
        session, values = start(alice, bob.identity, public(signed), public(one_time), random, now)
        random.end()
        session, packet = seal_packet(session, f.hex("text"), None, Reader(f.hex("r16")), now)
        for name, value in (values | {"packet": packet, "session_of_alice": write_session(session)}).items():
            f.same(name, value)

        mailbox = mailbox_of(bob, signed, one_time)
        session, content, values = accept(copy.deepcopy(mailbox), packet, now)
        same(f"{f.where}: opened", content, ("text", f.hex("text")))
        for name, value in (values | {"session_of_bob": write_session(session)}).items():
            f.same(name, value)
        good[f["name"]] = mailbox, packet
    for f in refused:
        mailbox, packet = f.pick("of", good)
        before = copy.deepcopy(mailbox)
        must_refuse(f, accept, mailbox, f.changed(packet), now)
        same(f"{f.where}: the mailbox after it", mailbox, before)

def check_conversation(cases, refused):
    who, (prekeys, _) = people(), load("prekeys.json")
    alice, bob = who["alice"], who["bob"]
    mailbox = mailbox_of(bob, *(read_stored_prekey(f.hex("secret")) for f in prekeys))
    bundle = check_bundle(bob.identity, *(f.hex("record") for f in prekeys), cases[0]["at"])
    sessions, packets = {}, []

    def sealed(f, session, random, text, capsule=None):
        session, packet = seal_packet(session, text, capsule, random, f["at"])
        random.end()
        f.same("packet", packet)
        f.same("number", len(packets))
        packets.append(packet)
        return session

    def opened(f, session, content):
        kind = "capsule" if "capsule" in f else "text"
        same(f"{f.where}: opened", content, (kind, f.hex(kind)))
        return session

    def event(f):
        match f["do"]:
            case "start":
                random = Reader(f.hex("random"))
                session, _ = start(alice, bob.identity, *bundle, random, f["at"])
                random.end()
                sessions["alice"] = sealed(f, session, Reader(f.hex("random_of_packet")), f.hex("text"))
            case "accept":
                session, content, _ = accept(mailbox, packets[f["number"]], f["at"])
                sessions["bob"] = opened(f, session, content)
            case "seal":
                what = (None, f.hex("capsule")) if "capsule" in f else (f.hex("text"), None)
                sessions[f["by"]] = sealed(f, sessions[f["by"]], Reader(f.hex("random")), *what)
            case "open":
                step = open_packet(sessions[f["by"]], packets[f["number"]], f["at"])
                sessions[f["by"]] = opened(f, *step)
            case "restart":
                f.same("session", write_session(sessions[f["by"]]))
                sessions[f["by"]] = read_session(f.hex("session"))
            case other:
                raise Disagreement(f"{f.where}: unknown event {other}")

    def refusal(f):
        session, packet = f.pick("by", sessions), f.of("packet", packets)
        packet = packet if f["change"] == {"append": ""} else f.changed(packet)
        before, mailbox_before = write_session(session), copy.deepcopy(mailbox)
        must_refuse(f, open_packet, session, packet, f["at"])
        same(f"{f.where}: the record after it", write_session(session), before)
        if f["by"] == "bob":  # nor does it begin a session
            must_refuse(f, accept, mailbox, packet, f["at"])
            same(f"{f.where}: the mailbox after it", mailbox, mailbox_before)

    for done, f in enumerate(cases, 1):
        event(f)
        for r in refused:
            if r["after"] == done:
                refusal(r)

def check_group(cases, refused):
    good = []
    for f in cases:
        members = group_members([bytes.fromhex(account) for account in f["member_accounts"]])
        f.same("members", members)
        place = [f.hex("group"), f["epoch"], members, f.hex("sender"), f.hex("previous")]
        body, capsule = seal_group(group_place(*place), f.hex("key"), f.hex("text"))
        f.same("body", body)
        f.same("capsule", capsule)
        f.same("text", open_group(group_place(*place), capsule, body))
        good.append((place, capsule, body))
    parts = ("another group", "another epoch", "another membership", "another sender", "another predecessor")
    for f in refused:
        kind = f["of"].partition(" ")[0]
        place, capsule, body = f.of(kind, good)
        if kind == "body":
            body = f.changed(body)
            capsule = f.hex("capsule") if "capsule" in f else capsule
        elif kind == "capsule":
            capsule = f.changed(capsule)
        else:
            same(f"{f.where}: of", kind, "place")
            i = f.pick("what", {part: i for i, part in enumerate(parts)})
            place = [*place[:i], place[i] + 1 if i == 1 else another(place[i]), *place[i + 1 :]]
        must_refuse(f, open_group, group_place(*place), capsule, body)

def check_attachment(cases, refused):
    good = []
    for f in cases:
        size, random = f["file_bytes"], f.hex("random")
        data = f.optional("file")
        data = bytes(i % 251 for i in range(size)) if data is None else data
        f.same("file_bytes", len(data))
        sealed = seal_attachment(random[:32], random[32:], data)
        f.same("sealed", sealed)
        same(f"{f.where}: opened", open_attachment(random[:32], sealed), data)
        good.append((random[:32], sealed))
    for f in refused:
        key, sealed = f.of("attachment", good)
        must_refuse(f, open_attachment, key, f.changed(sealed))

def check_vault(cases, refused):
    good = []
    for f in cases:
        if "passphrase" in f:
            kind, secret = PASSPHRASE, f["passphrase"].encode()
        elif "keyring" in f:
            kind, secret = KEYRING, f.hex("keyring")
        else:
            kind, secret = KEY_FILE, f.hex("key_file")
        prefix, salt, cost, slots = read_vault(f.hex("header"))
        same(f"{f.where}: slots", [slot[0] for slot in slots], [kind])
        key, nonce = slot_key(kind, secret, salt, cost), slots[0][1]
        wrapped = seal_gcm(key, nonce, vault_aad(prefix, kind), f.hex("master_key"))
        f.same("header", prefix + u32(1) + u8(kind) + nonce + wrapped)
        f.same("master_key", open_vault(f.hex("header"), kind, secret))
        f.same("database_key", database_key(f.hex("master_key")))
        good.append((f.hex("header"), kind, secret))
    for f in refused:
        header, kind, secret = f.of("header", good)
        if "change" in f:
            header = f.changed(header)
        else:
            secrets = {"another key file": another(secret), "no such slot": bytes(32)}
            kind, secret = KEY_FILE, f.pick("what", secrets)
        must_refuse(f, open_vault, header, kind, secret)

def check_stored(cases, refused):
    formats = {
        "identity": (read_secrets, write_secrets),
        "prekey": (read_stored_prekey, write_stored_prekey),
        "session": (read_session, write_session),
    }
    good = []
    for f in cases:
        read, write = f.pick("kind", formats)
        f.same("record", write(read(f.hex("record"))))
        good.append((read, f.hex("record")))
    for f in refused:
        read, record = f.of("record", good)
        must_refuse(f, read, f.changed(record))

CHECKS = [
    check_derivations, check_identities, check_device_lists, check_prekeys, check_safety_numbers, check_logins,
    check_handshake, check_conversation, check_group, check_attachment, check_vault, check_stored,
]  # fmt: skip

def main():
    began = time.monotonic()
    try:
        checks = {check.__name__.removeprefix("check_") + ".json": check for check in CHECKS}
        same("files", sorted(path.name for path in HERE.glob("*.json")), sorted(checks))
        for name, check in checks.items():
            cases, refused = load(name)
            check(cases, refused)
            for f in cases + refused:
                f.done()
            print(f"{name}: {len(cases)} cases, {len(refused)} refused")
    except Disagreement as error:
        sys.exit(f"disagreement: {error}")
    except Refused as error:
        sys.exit(f"disagreement: {name}: refused what is good: {error}")
    print(f"all agree ({time.monotonic() - began:.1f} s)")

if __name__ == "__main__":
    main()
