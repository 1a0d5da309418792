// base64url without padding (RFC 4648 section 5, as RFC 8555 wants it), SHA-256 and hex.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace crypto {

[[nodiscard]] std::string base64url(std::string_view octets);
// Refuses padding, blanks, other alphabets and stray bits: one text for one value.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);
[[nodiscard]] std::string sha256(std::string_view octets);  // 32 octets
[[nodiscard]] std::string hex(std::string_view octets);     // lower case

}  // namespace crypto
