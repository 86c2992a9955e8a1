/** The program of gcc-program.fixture.ts as a module's file, as gcc 12 compiled it. For tests. */
import { zlibCodec } from "../../image/codec/zlib.ts";
import { fromBase64 } from "./gcc-program.fixture.ts";

/**
 * Compiled with
 *
 *     gcc -c -gdwarf-5 -O2 -ffreestanding -fno-pic -mcmodel=kernel -fcf-protection=none -fno-asynchronous-unwind-tables -fno-ident
 *     ld -r --build-id=sha1
 */
const SIZE = 5056;
/** The file, deflated (zlib), as base64. */
const COMPILED = `
eNqtV19oHEUYn9m9vdvL5i53ufztv9yV2sbS3SQ1ja1t2lRtTdrSP2BQH8Ru7vbull520929Ni1CHlJEqGgfRGopVhFB9EFfSsWnYgXBF1Gp+iKKvhQ
URBQUfagzezO5uclOD9GB3dnvN9/3/b759pud2aUDRw5KEALaINgLmlKz3Uw1n6fIfQD0gxh66kGXjK7Hjs6C4d++8/rfOHHgldsvvn3r6rYvl54YfJ
r1czFxq1w2uoYuhFL50sXE8k14q4lML/+sTl9cQlfi7nF1evljFY+D/9y2oUsKn9QWfEKg/y5KggJgqJzEt/W8BmvZ4S74IAOh+jilgT2nwcrz/adDX
tlAnVZFN3x1ungsFVNsJwBpFT6FJJxNkJEuo7til4DUd5n6kPJu6COuAKqnytexHqaWC9dDIkzfhW+fYj+fhe9T/hB18QQeD2/xbjyYlGnsjZHE6RYw
G7pTlSozyT5aIlcPoeR0NzTWHGKqJRdiHZljbAXBM/j2GqkTAJVO1ml8xekyMlLNACiDeKZwFvSGeKwlBnlFHavGskQVwC6gFdQZFICUAnL6oQLcre3
SZnI7NWSzGeCBWA7KaU1rDBVUiCAF6apN3QKOZxN2tFeT0ygp46yrfYPSAIpQYU0wkszC+9I5TR5aO5SF3YlMPyoHRKUiKg1rYSKtF24ZnMnhx04ljC
aFeDREgwosjWJHYXZB2NDIFJDGCEKyBtw3iCII3WB77H9q4NlBrNWtADqE4ui/8TDizY2vxnoMuNrF+dBFb7T/84MoD0u4tFC9bcUJhvDvdAp3MKwo/
DQUvmIJDkldUvP1KL0guSL2Kv1Q2RCHylZDWR//WhmCyhiSJp5UYPx9Rc6hLqtkDity/LCSQwMdexQ4qRRm0F2CgHyTcM3cRQ0Bi5nOhHqJlFYPtxpp
YfA4ra91HE6L+dF05mgavYRizfUtUHOdSr7u+HbFsUp5vDBDBD+4C5YDqm6tZHnAs8xiFX/u8o+MPZgf225sN0bz+nxx3i1ZtclTludYNSQHdcearFi
O5dlFJJpesTq5uHNCnxjP65XSWdMr6zvy+rHteb1c9izLD0ynZCM6vey4+gK2KRfL+oLnBlYxsF1n0nEdqzFq+uecYtVzHbfu63XnrO2U9MCcq1l+Y9
wuWSjmBc8+YwYWCEdQ8O4p4FtF1ymBuo+mUbY9PwAjwfzCSCNmf8dI2V4E/rxZqxnFe4zQfiOpEtpi+WE4GxueiL0JZ69heVjHq7NNkyN3HIxLAlwW4
IoATwhwVYAnBbgmwFMCPC3AMwK8W4DnBHjPKgyGu8Ovd3k8GW4k0gozXRdY7kZ4nlsXfeEm0MxznllHWSbPNIMF4odfj82SaRReY+kwBdkowpb42Vmp
DC6ReAHT8/iAwI/IP81DB3cy4P3z8XTQcwFpKQbvRNcDRO5m8BQj93E4bWsEvFsZ/Q4G38PxFog8zeG0neXwzUR+gcNvE/kKh9P8XuPwX4j8OYfT/H7
F4d8S+Qdmvmz1/8Tp/0jkPxj9HP9iGX2dwBpszSet440wOg86g6eZOhjjcJrTCRidh/2cPuU9wOEbCD7L+blD8JMwus4vcPq/E/wlGF0/G7l6W8Oci1
mcymMcPk7k3YL6XMfos1/JvEB/XKC/U7Cujwj0j4Po9wsM/9w8+sygPvAafZU+OWhDNSpO3Zir27US2iuBEViLATA8q2YanlsyA5MIjcc53ydWaM/X0
T5dPEXHrbl65RnTM52K5bdgtlN2AR2fm/OsMy3DNduxWoCyZ85b1ABFChjFFtkt1mw/8MH/09aSPwB+p50i/SYOj3GyQXIf5/AFwf8Vv/PtiqiN8H+T
qx8gkMdJTFMc/jz5UJ+kh1GyJ6ncPnGQ8PMniu+57z0QyPsF/HfUVp7e8KS0mv8IwXj+O4L3xZ+UTkRg/8a+3MZ+tI29KZg/3RxHmfknI+Z/XsA/QMD
34L356wL+UcL/gdTk1yL4nxPwf0LsTrThf1UUP1koy23y97KofrTV9ZuOiP8dAf/rhL/apn7fEvBPkw3uEsOfieC/Qfj5OlHJEfEvwfxp/5HAXoq3nm
9E9l8I5r+X2G9uk/+ob0+YN2L/J2TPw6vnn4xYu+F7I4pb2vBnBfbfdLaej0T2/wCe+3Ax
`;

/** Where its functions lie in .text. */
export const OFFSETS = { first: 0, second: 0x10, reach: 0x20, call: 0x2b };

/** The module's file, debug information and all. */
export function gccModule(): Uint8Array {
  return zlibCodec.decompress(fromBase64(COMPILED), SIZE);
}

/** The same with another build-id. */
export function otherBuild(): Uint8Array {
  const bytes = gccModule();
  // .note.gnu.build-id lies at 0x40; 16 bytes of head come before the id.
  bytes[0x50]! ^= 1;
  return bytes;
}
