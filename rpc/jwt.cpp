#include "rpc/jwt.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/bytes.hpp"
#include "core/hex.hpp"
#include "rpc/json_in.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kMacBytes = 32;
constexpr size_t kTokenBytesMax = 8 * 1024;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using Mac = std::array<uint8_t, kMacBytes>;

Mac mac_of(std::string_view text, const JwtSecret& secret) {
    Mac mac{};
    unsigned bytes = kMacBytes;
    ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &bytes);
    return mac;
}

/// Base64url without padding (RFC 7515, 2); none on anything else.
std::optional<std::string> decode_base64url(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4 + kJsonPadding);
    uint32_t bits = 0;
    unsigned count = 0;
    for (const char digit : text) {
        const size_t value = kAlphabet.find(digit);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
    // What is left over is less than a digit, and zero.
    const bool whole = count < 6 && (bits & ((1U << count) - 1)) == 0;
    return whole ? std::optional(std::move(bytes)) : std::nullopt;
}

std::string encode_base64url(core::ByteView bytes) {
    std::string text;
    uint32_t bits = 0;
    unsigned count = 0;
    for (const uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        count += 8;
        while (count >= 6) {
            count -= 6;
            text.push_back(kAlphabet[bits >> count & 63]);
        }
    }
    if (count > 0) text.push_back(kAlphabet[bits << (6 - count) & 63]);
    return text;
}

/// One part of a token as a JSON object.
class Part {
  public:
    explicit Part(std::string_view encoded) {
        auto decoded = decode_base64url(encoded);
        if (!decoded) return;
        text_ = *std::move(decoded);
        const size_t size = text_.size();
        text_.append(kJsonPadding, ' ');
        ok_ = json_.parse(std::string_view(text_).substr(0, size)) == JsonVerdict::Ok &&
              json_.root().is(JsonKind::Object);
    }
    bool ok() const { return ok_; }
    std::optional<JsonValue> member(std::string_view name) const {
        return json_.root().member(name);
    }

  private:
    std::string text_;
    JsonIn json_;
    bool ok_ = false;
};

/// A NumericDate: seconds since 1970, a fraction allowed (RFC 7519, 2).
std::optional<double> seconds_of(JsonValue value) {
    if (!value.is(JsonKind::Number)) return std::nullopt;
    double seconds = 0;
    const std::string_view text = value.raw();
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc() || !std::isfinite(seconds)) return std::nullopt;
    return seconds;
}

std::optional<std::string> refuse_claims(const Part& claims, int64_t now_s) {
    const auto now = static_cast<double>(now_s);
    if (const auto expires = claims.member("exp"); expires && !expires->is(JsonKind::Null)) {
        const auto at = seconds_of(*expires);
        if (!at || *at <= now) return "token is expired";
    }
    const auto issued = claims.member("iat");
    if (!issued || issued->is(JsonKind::Null)) return "missing issued-at";
    const auto at = seconds_of(*issued);
    if (!at) return "token is malformed: issued-at is not a number";
    const double age = now - *at;
    if (age > kJwtDriftMax_s) return "stale token";
    if (-age > kJwtDriftMax_s) return "future token";
    return std::nullopt;
}

}  // namespace

std::optional<JwtSecret> parse_jwt_secret(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\v\f";
    const size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return std::nullopt;
    text = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
    const auto bytes = core::from_hex(text);
    if (!bytes || bytes->size() != kJwtSecretBytes) return std::nullopt;
    JwtSecret secret{};
    std::ranges::copy(*bytes, secret.begin());
    return secret;
}

std::optional<std::string> refuse_token(std::string_view authorization, const JwtSecret& secret,
                                        int64_t now_s) {
    constexpr std::string_view kScheme = "bearer ";
    const bool is_bearer =
        authorization.size() > kScheme.size() &&
        std::ranges::equal(authorization.substr(0, kScheme.size()), kScheme, [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
        });
    if (!is_bearer) return "missing token";
    const std::string_view token = authorization.substr(kScheme.size());
    const size_t first = token.find('.');
    const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (token.size() > kTokenBytesMax || second == std::string_view::npos ||
        token.find('.', second + 1) != std::string_view::npos) {
        return "token is malformed: token contains an invalid number of segments";
    }
    // What signs is decided before anything that is signed is looked at.
    const Part head(token.substr(0, first));
    const auto algorithm = head.ok() ? head.member("alg") : std::nullopt;
    if (!algorithm || !algorithm->is(JsonKind::String)) {
        return "token is malformed: no signing method";
    }
    if (algorithm->text() != "HS256") {
        return fmt::format("token signature is invalid: signing method {} is invalid",
                           algorithm->text());
    }
    const auto signature = decode_base64url(token.substr(second + 1));
    const Mac mac = mac_of(token.substr(0, second), secret);
    if (!signature || signature->size() != mac.size() ||
        ::CRYPTO_memcmp(signature->data(), mac.data(), mac.size()) != 0) {
        return "token signature is invalid: signature is invalid";
    }
    const Part claims(token.substr(first + 1, second - first - 1));
    if (!claims.ok()) return "token is malformed: claims are no JSON object";
    return refuse_claims(claims, now_s);
}

std::string make_token(const JwtSecret& secret, int64_t now_s) {
    const std::string text = encode_base64url(std::string_view(R"({"alg":"HS256","typ":"JWT"})")) +
                             "." + encode_base64url(fmt::format(R"({{"iat":{}}})", now_s));
    return text + "." + encode_base64url(mac_of(text, secret));
}

}  // namespace keel::rpc
