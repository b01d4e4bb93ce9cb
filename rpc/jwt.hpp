#pragma once

// Tokens of the Engine API: JSON Web Tokens (RFC 7519), HS256 alone, with a claim of when they were
// made. Source: execution-apis, engine/authentication.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keel::rpc {

inline constexpr size_t kJwtSecretBytes = 32;
using JwtSecret = std::array<uint8_t, kJwtSecretBytes>;

/// Seconds that the clocks of both sides may differ by.
inline constexpr int64_t kJwtDriftMax_s = 60;

/// Hex digits of 32 bytes, with or without 0x, white space around them; none on anything else.
std::optional<JwtSecret> parse_jwt_secret(std::string_view text);

/// Why a request with this header `Authorization` is not let in, in geth's words where it has some;
/// none: it is. `now_s`: seconds since 1970.
std::optional<std::string> refuse_token(std::string_view authorization, const JwtSecret& secret,
                                        int64_t now_s);

/// A token made now, for whoever asks.
std::string make_token(const JwtSecret& secret, int64_t now_s);

}  // namespace keel::rpc
