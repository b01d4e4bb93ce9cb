#include "core/types/tx.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"

namespace keel::core {
namespace {

template <class Fixed>
Fixed filled(uint8_t byte) {
    Fixed value;
    value.bytes.fill(byte);
    return value;
}

const Bytes kData{1, 2, 3};

// A transaction with a value in every field that its type has.
Tx sample(TxType type) {
    Tx tx;
    tx.type = type;
    tx.chain_id = U256(1);
    tx.nonce = 9;
    tx.max_fee = U256(20'000'000'000);
    tx.max_priority_fee = type <= TxType::AccessList ? tx.max_fee : U256(2);
    tx.gas = 21000;
    tx.to = filled<Address>(0x35);
    tx.value = U256(1'000'000'000'000'000'000);
    tx.data = kData;
    if (type != TxType::Legacy) {
        tx.access_list = {{filled<Address>(1), {filled<Hash32>(2), filled<Hash32>(3)}},
                          {filled<Address>(4), {}}};
    }
    if (type == TxType::Blob) {
        tx.max_fee_per_blob_gas = U256(7);
        tx.blob_hashes = {filled<Hash32>(1)};
    }
    if (type == TxType::SetCode) {
        tx.authorizations = {{U256(1), filled<Address>(6), 5, 255, U256(8), U256::max()}};
    }
    set_signature(tx, 1, U256(11), U256(12));
    return tx;
}

Bytes raw_of(const Tx& tx) {
    Bytes raw;
    append_tx(raw, tx);
    return raw;
}

Bytes from_digits(std::string_view digits) {
    return from_hex(digits).value();
}

TEST(Tx, every_type_survives_encoding_and_decoding) {
    for (int type = 0; type <= 4; ++type) {
        const Tx tx = sample(static_cast<TxType>(type));
        const Bytes raw = raw_of(tx);
        const auto decoded = decode_tx(raw);
        ASSERT_TRUE(decoded) << type << ": " << to_string(decoded.error());
        EXPECT_EQ(decoded->type, tx.type);
        EXPECT_EQ(decoded->chain_id, tx.chain_id);
        EXPECT_EQ(decoded->nonce, tx.nonce);
        EXPECT_EQ(decoded->max_priority_fee, tx.max_priority_fee);
        EXPECT_EQ(decoded->max_fee, tx.max_fee);
        EXPECT_EQ(decoded->gas, tx.gas);
        EXPECT_EQ(decoded->to, tx.to);
        EXPECT_EQ(decoded->value, tx.value);
        EXPECT_EQ(decoded->data, tx.data);
        EXPECT_EQ(decoded->access_list, tx.access_list);
        EXPECT_EQ(decoded->max_fee_per_blob_gas, tx.max_fee_per_blob_gas);
        EXPECT_EQ(decoded->blob_hashes, tx.blob_hashes);
        EXPECT_EQ(decoded->authorizations, tx.authorizations);
        EXPECT_EQ(decoded->v, tx.v);
        EXPECT_EQ(decoded->r, tx.r);
        EXPECT_EQ(decoded->s, tx.s);
        EXPECT_EQ(decoded->raw.data(), raw.data());
        EXPECT_EQ(raw_of(*decoded), raw);
        EXPECT_EQ(y_parity(*decoded), 1);

        Bytes body;
        append_body_tx(body, tx);
        RlpReader reader(body);
        const auto from_body = decode_body_tx(reader);
        ASSERT_TRUE(from_body);
        EXPECT_TRUE(reader.at_end());
        EXPECT_EQ(from_body->raw, ByteView(raw));
    }
}

// The example of EIP-155.
TEST(Tx, the_signing_payload_of_a_protected_transaction_ends_with_the_chain_id) {
    Tx tx;
    tx.chain_id = U256(1);
    tx.nonce = 9;
    tx.max_fee = tx.max_priority_fee = U256(20'000'000'000);
    tx.gas = 21000;
    tx.to = filled<Address>(0x35);
    tx.value = U256(1'000'000'000'000'000'000);
    Bytes payload;
    encode_for_signing(payload, tx);
    EXPECT_EQ(to_hex(payload),
              "ec098504a817c80082520894353535353535353535353535353535353535353588"
              "0de0b6b3a764000080018080");
}

TEST(Tx, an_unprotected_signing_payload_has_six_fields) {
    Tx tx;
    Bytes payload;
    encode_for_signing(payload, tx);
    EXPECT_EQ(to_hex(payload), "c6808080808080");
}

TEST(Tx, a_typed_signing_payload_is_the_raw_form_without_signature) {
    for (int type = 1; type <= 4; ++type) {
        const Tx tx = sample(static_cast<TxType>(type));
        Bytes payload;
        encode_for_signing(payload, tx);
        EXPECT_EQ(payload[0], type);
        const Bytes raw = raw_of(tx);
        const auto whole = rlp_outer_list(ByteView(raw).sub(1));
        const auto shortened = rlp_outer_list(ByteView(payload).sub(1));
        ASSERT_TRUE(whole && shortened);
        EXPECT_TRUE(whole->rest().starts_with(shortened->rest()));
        EXPECT_EQ(whole->rest().size(), shortened->rest().size() + 3);
    }
}

TEST(Tx, an_authorization_is_signed_behind_its_magic) {
    Bytes payload;
    encode_for_signing(payload, Authorization{U256(1), Address{}, 2, 0, {}, {}});
    EXPECT_EQ(to_hex(payload),
              "05d701940000000000000000000000000000000000000000"
              "02");
}

TEST(Tx, v_of_a_legacy_transaction_tells_chain_and_parity) {
    Tx tx;
    const auto parity_of = [&tx](const U256& v) {
        tx.v = v;
        return y_parity(tx);
    };
    EXPECT_EQ(parity_of(U256(26)), std::nullopt);
    EXPECT_EQ(parity_of(U256(27)), 0);
    EXPECT_EQ(parity_of(U256(28)), 1);
    EXPECT_EQ(parity_of(U256(29)), std::nullopt);
    EXPECT_EQ(parity_of(U256(34)), std::nullopt);
    EXPECT_EQ(parity_of(U256(35)), 0);
    EXPECT_EQ(parity_of(U256(38)), 1);
    tx.v = U256(38);
    const Bytes raw = raw_of(tx);
    const auto decoded = decode_tx(raw);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->chain_id, U256(1));
}

TEST(Tx, a_parity_above_one_is_none) {
    Tx tx;
    tx.type = TxType::DynamicFee;
    tx.v = U256(2);
    EXPECT_EQ(y_parity(tx), std::nullopt);
}

TEST(Tx, wrong_counts_of_fields_are_refused) {
    EXPECT_EQ(decode_tx(from_digits("c8808080808080808"
                                    "0"))
                  .error(),
              RlpError::ListTooShort);
    EXPECT_TRUE(decode_tx(from_digits("c9808080808080808080")));
    EXPECT_EQ(decode_tx(from_digits("ca80808080808080808080")).error(), RlpError::ListTooLong);
    EXPECT_EQ(decode_tx(from_digits("c980808080808080808080")).error(), RlpError::TrailingBytes);
}

TEST(Tx, integers_with_leading_zeros_are_refused) {
    EXPECT_EQ(decode_tx(from_digits("c9008080808080808080")).error(), RlpError::LeadingZeros);
    EXPECT_EQ(decode_tx(from_digits("cb8080808080808200018080")).error(), RlpError::LeadingZeros);
    EXPECT_EQ(decode_tx(from_digits("d2"
                                    "89010000000000000000"
                                    "8080808080808080"))
                  .error(),
              RlpError::Overflow);
}

TEST(Tx, a_recipient_is_an_address_or_nothing) {
    EXPECT_EQ(decode_tx(from_digits("c9808080018080808080")).error(), RlpError::UnexpectedLength);
    for (const TxType type : {TxType::Blob, TxType::SetCode}) {
        Tx tx = sample(type);
        tx.to.reset();
        const Bytes raw = raw_of(tx);
        EXPECT_EQ(decode_tx(raw).error(), RlpError::UnexpectedLength);
    }
    Tx creation = sample(TxType::DynamicFee);
    creation.to.reset();
    const Bytes raw = raw_of(creation);
    EXPECT_TRUE(decode_tx(raw));
}

TEST(Tx, unknown_types_are_refused) {
    EXPECT_EQ(decode_tx(ByteView{}).error(), RlpError::InputTooShort);
    for (const char* digits : {"00c0", "05c0", "7fc0", "80", "bf"}) {
        EXPECT_EQ(decode_tx(from_digits(digits)).error(), RlpError::TypeNotSupported) << digits;
    }
}

TEST(Tx, a_body_holds_legacy_as_a_list_and_types_as_strings) {
    const Bytes legacy_in_string = from_digits("8ac9808080808080808080");
    RlpReader first(legacy_in_string);
    EXPECT_EQ(decode_body_tx(first).error(), RlpError::TypeNotSupported);
    const Bytes bare_type = raw_of(sample(TxType::DynamicFee));
    RlpReader second(bare_type);
    EXPECT_FALSE(decode_body_tx(second));
    const Bytes empty = from_digits("80");
    RlpReader third(empty);
    EXPECT_EQ(decode_body_tx(third).error(), RlpError::InputTooShort);
}

TEST(Tx, access_lists_have_exact_lengths) {
    const std::string head = "808080808080";  // chain id to value of type 1, data follows
    const std::string tail = "808080";
    const auto with = [&](const std::string& data_and_list) {
        const Bytes fields = from_digits(head + data_and_list + tail);
        Bytes raw{1};
        rlp_append_list_header(raw, fields.size());
        append(raw, fields);
        return decode_tx(raw);
    };
    EXPECT_TRUE(with("80c0"));
    EXPECT_EQ(with("8080").error(), RlpError::ExpectedList);
    EXPECT_EQ(with("80c3c28"
                   "0c0")
                  .error(),
              RlpError::UnexpectedLength);
    const std::string address = "94" + std::string(40, '1');
    EXPECT_TRUE(with("80d7d6" + address + "c0"));
    EXPECT_EQ(with("80d6d5" + address).error(), RlpError::ListTooShort);
    EXPECT_EQ(with("80d8d7" + address + "c080").error(), RlpError::ListTooLong);
    EXPECT_EQ(with("80d8d7" + address + "c101").error(), RlpError::UnexpectedLength);
}

TEST(Tx, every_cut_of_the_raw_form_is_refused) {
    for (int type = 0; type <= 4; ++type) {
        const Bytes raw = raw_of(sample(static_cast<TxType>(type)));
        for (size_t size = 0; size < raw.size(); ++size) {
            EXPECT_FALSE(decode_tx(ByteView(raw).sub(0, size))) << type << " " << size;
        }
    }
}

}  // namespace
}  // namespace keel::core
