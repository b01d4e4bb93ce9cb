#include "core/types/fork.hpp"
#include "core/types/tx.hpp"
#include "crypto/recover.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const core::ByteView input(data, size);
    const auto tx = core::decode_tx(input);
    if (!tx) return 0;
    core::Bytes encoded;
    core::append_tx(encoded, *tx);
    fuzz::require(input == core::ByteView(encoded), "a transaction has one encoding");

    core::Bytes in_body;
    core::append_body_tx(in_body, *tx);
    core::RlpReader body{core::ByteView(in_body)};
    const auto again = core::decode_body_tx(body);
    fuzz::require(again.has_value() && body.at_end(), "a transaction is read back from a body");
    fuzz::require(again->raw == input, "and has the same raw form there");

    // High s is refused from Homestead on (EIP-2), and nothing else is allowed more by a later fork
    // than by one before it.
    const auto old = crypto::recover_sender(*tx, core::rules_of(core::Fork::SpuriousDragon));
    const auto now = crypto::recover_sender(*tx, core::rules_of(core::Fork::Osaka));
    if (old && now) fuzz::require(*old == *now, "the sender is the same in every fork");
    for (const core::Authorization& authorization : tx->authorizations) {
        (void)crypto::recover_authority(authorization);
    }
    return 0;
}
