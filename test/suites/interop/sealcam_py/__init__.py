"""Sealcam protocol in Python, written from docs/protocol.md and the two CDDL files alone.

It needs PyNaCl 1.5 (libsodium) and cbor2 5.4. Keys, ids, hashes and objects are `bytes`. Decoded values are
plain dicts, lists, ints, strings, bytes, bools and None, with the field names of the CDDL, enumerations as
their names. A value of version 1 does not hold its version, one of version 2 does. Every refusal is a `ProtocolError` whose `code` is
one of the documented error codes or verdicts. Section numbers (§) are those of docs/protocol.md.

| module        | §         | start with                                                  |
|---------------|-----------|-------------------------------------------------------------|
| errors        | 3, 11     | ProtocolError, the codes                                    |
| primitives    | 1, 4      | sha256, hmac_sha256, hkdf, device_id, account_id            |
| cbor          | 2         | decode_cbor, encode_cbor, the limits in bytes               |
| fields        | 2         | the types of the CDDL, and what each refuses                |
| objects       | 5, 6, 12  | the CDDL rules of the signed objects                        |
| rules         | 5, 6, 12  | the rules that CDDL cannot express                          |
| ed25519       | 3         | check_signature, is_good_point                              |
| cose          | 3, 6      | open_signed, sign, claim_mac                                |
| seal          | 8         | open_seal                                                   |
| messages      | 9         | parse_topic, read_message, write_message                    |
| verify        | 10, 11    | bind, EpochLog, check_media                                 |
| claim_code    | 13        | parse_claim_code, format_claim_code                         |
| cddl_types    | 2         | Document: the types that docs/protocol-v2.cddl defines      |
| version2      | 17        | KINDS_2, EITHER, read_message, write_message                |
| rules2        | 17        | the rules of version 2 that CDDL cannot express             |
| mlkem, xwing  | 16        | XWingKeys, encapsulate, hpke_open, hpke_seal                |
| seal2         | 16        | open_period, Period.key_of, open_object                     |
| evidence      | 18        | verify_evidence                                             |
| film          | 19        | read_start, read_fragment                                   |
| clip          | 19        | Epoch.open_clip                                             |
"""
