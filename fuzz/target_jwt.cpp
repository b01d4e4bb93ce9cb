#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "rpc/jwt.hpp"

using namespace keel;

namespace {

constexpr int64_t kNow_s = 1'700'000'000;

std::string base64url(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int written = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                          reinterpret_cast<const unsigned char*>(bytes.data()),
                                          static_cast<int>(bytes.size()));
    text.resize(static_cast<size_t>(written));
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& digit : text) {
        if (digit == '+') digit = '-';
        if (digit == '/') digit = '_';
    }
    return text;
}

/// Head and claims as they stand, signed with the secret: what is behind the signature is read too.
std::string signed_token(std::string_view head, std::string_view claims,
                         const rpc::JwtSecret& secret) {
    std::string token = base64url(head) + '.' + base64url(claims);
    std::array<unsigned char, 32> mac{};
    unsigned size = 32;
    ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(), &size);
    return "Bearer " + token + '.' +
           base64url(std::string_view(reinterpret_cast<const char*>(mac.data()), mac.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    rpc::JwtSecret secret;
    secret.fill(0x5a);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)rpc::parse_jwt_secret(text);
    fuzz::require(rpc::refuse_token(text, secret, kNow_s).has_value() || text.size() > 40,
                  "what has no room for a signature is refused");
    const size_t line = text.find('\n');
    if (line != std::string_view::npos) {
        const std::string_view head = text.substr(0, line), claims = text.substr(line + 1);
        std::string token = signed_token(head, claims, secret);
        const auto refused = rpc::refuse_token(token, secret, kNow_s);
        if (!refused) {
            fuzz::require(head.find("HS256") != std::string_view::npos ||
                              head.find('\\') != std::string_view::npos,
                          "no other algorithm is taken");
            token.back() = token.back() == 'A' ? 'Q' : 'A';
            fuzz::require(rpc::refuse_token(token, secret, kNow_s).has_value(),
                          "another signature is refused");
        }
    }
    fuzz::require(!rpc::refuse_token("Bearer " + rpc::make_token(secret, kNow_s), secret, kNow_s),
                  "a token of our own is taken");
    return 0;
}
