"""ML-KEM-768 (FIPS 203), plain and slow: for tests only, because its time depends on secrets."""

from __future__ import annotations

import hashlib

Q, N, K = 3329, 256, 3
ETA = 2
DU, DV = 10, 4
PUBLIC_BYTES, CIPHERTEXT_BYTES = 1184, 1088

Poly = list[int]


def bit_reversed(number: int) -> int:
    return int(f"{number:07b}"[::-1], 2)


ZETAS = [pow(17, bit_reversed(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * bit_reversed(i) + 1, Q) for i in range(128)]


def ntt(poly: Poly) -> Poly:
    """Algorithm 9."""
    f, i, length = poly[:], 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
        length //= 2
    return f


def inverse_ntt(poly: Poly) -> Poly:
    """Algorithm 10."""
    f, i, length = poly[:], 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, zeta * (f[j + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def multiply(a: Poly, b: Poly) -> Poly:
    """Algorithm 11."""
    out = [0] * N
    for i in range(128):
        a0, a1, b0, b1 = a[2 * i], a[2 * i + 1], b[2 * i], b[2 * i + 1]
        out[2 * i] = (a0 * b0 + a1 * b1 * GAMMAS[i]) % Q
        out[2 * i + 1] = (a0 * b1 + a1 * b0) % Q
    return out


def add(*polys: Poly) -> Poly:
    return [sum(column) % Q for column in zip(*polys)]


def dot(a: list[Poly], b: list[Poly]) -> Poly:
    return add(*(multiply(x, y) for x, y in zip(a, b)))


def sample_uniform(seed: bytes) -> Poly:
    """Algorithm 7. 1,344 bytes hold 896 candidates, of which 256 below q are needed; more are drawn where they are not."""
    length = 1_344
    while True:
        stream = hashlib.shake_128(seed).digest(length)
        out = []
        for i in range(0, length - 2, 3):
            low = stream[i] | (stream[i + 1] & 15) << 8
            high = stream[i + 1] >> 4 | stream[i + 2] << 4
            out += [x for x in (low, high) if x < Q]
        if len(out) >= N:
            return out[:N]
        length *= 2


def sample_noise(seed: bytes, nonce: int) -> Poly:
    """Algorithm 8 over PRF(seed, nonce)."""
    stream = hashlib.shake_256(seed + bytes([nonce])).digest(64 * ETA)
    bits = [byte >> i & 1 for byte in stream for i in range(8)]
    return [(bits[4 * i] + bits[4 * i + 1] - bits[4 * i + 2] - bits[4 * i + 3]) % Q for i in range(N)]


def encode(poly: Poly, d: int) -> bytes:
    """Algorithm 5."""
    number = sum(x << (d * i) for i, x in enumerate(poly))
    return number.to_bytes(32 * d, "little")


def decode(data: bytes, d: int) -> Poly:
    """Algorithm 6."""
    number = int.from_bytes(data, "little")
    return [number >> (d * i) & (1 << d) - 1 for i in range(N)]


def compress(poly: Poly, d: int) -> Poly:
    return [((x << d) + Q // 2) // Q & (1 << d) - 1 for x in poly]


def decompress(poly: Poly, d: int) -> Poly:
    return [(x * Q + (1 << d - 1)) >> d for x in poly]


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def matrix(rho: bytes) -> list[list[Poly]]:
    return [[sample_uniform(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def make_keys(d: bytes, z: bytes) -> tuple[bytes, bytes]:
    """Algorithm 16: returns (public key, secret key)."""
    seed = hashlib.sha3_512(d + bytes([K])).digest()
    rho, sigma = seed[:32], seed[32:]
    a = matrix(rho)
    s = [ntt(sample_noise(sigma, i)) for i in range(K)]
    e = [ntt(sample_noise(sigma, K + i)) for i in range(K)]
    t = [add(dot(a[i], s), e[i]) for i in range(K)]
    public = b"".join(encode(poly, 12) for poly in t) + rho
    secret = b"".join(encode(poly, 12) for poly in s)
    return public, secret + public + hashlib.sha3_256(public).digest() + z


def encrypt(public: bytes, message: bytes, seed: bytes) -> bytes:
    """Algorithm 14."""
    t = [decode(piece, 12) for piece in pieces(public[:1152], 384)]
    a = matrix(public[1152:])
    y = [ntt(sample_noise(seed, i)) for i in range(K)]
    u = [
        add(inverse_ntt(dot([a[j][i] for j in range(K)], y)), sample_noise(seed, K + i)) for i in range(K)
    ]
    v = add(inverse_ntt(dot(t, y)), sample_noise(seed, 2 * K), decompress(decode(message, 1), 1))
    return b"".join(encode(compress(poly, DU), DU) for poly in u) + encode(compress(v, DV), DV)


def decrypt(secret: bytes, ciphertext: bytes) -> bytes:
    """Algorithm 15."""
    s = [decode(piece, 12) for piece in pieces(secret[:1152], 384)]
    split = 32 * DU * K
    u = [ntt(decompress(decode(piece, DU), DU)) for piece in pieces(ciphertext[:split], 32 * DU)]
    v = decompress(decode(ciphertext[split:], DV), DV)
    noise = inverse_ntt(dot(s, u))
    return encode(compress([(x - y) % Q for x, y in zip(v, noise)], 1), 1)


def encapsulate(public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Algorithm 17: returns (shared secret, ciphertext)."""
    derived = hashlib.sha3_512(message + hashlib.sha3_256(public).digest()).digest()
    return derived[:32], encrypt(public, message, derived[32:])


def decapsulate(secret: bytes, ciphertext: bytes) -> bytes:
    """Algorithm 18. An altered ciphertext gives another secret, no error."""
    public, public_hash, z = secret[1152:2336], secret[2336:2368], secret[2368:]
    message = decrypt(secret, ciphertext)
    derived = hashlib.sha3_512(message + public_hash).digest()
    if encrypt(public, message, derived[32:]) == ciphertext:
        return derived[:32]
    return hashlib.shake_256(z + ciphertext).digest(32)


def has_small_coefficients(public: bytes) -> bool:
    """The check of a sender (FIPS 203 §7.2): every coefficient is below q."""
    return all(x < Q for piece in pieces(public[:1152], 384) for x in decode(piece, 12))
