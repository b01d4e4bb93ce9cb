#include "core/types/withdrawal.hpp"

#include "core/types/rlp_read.hpp"

namespace keel::core {

RlpResult<Withdrawal> decode_withdrawal(RlpReader& from) {
    auto list = from.list();
    if (!list) return unexpected(list.error());
    Withdrawal withdrawal;
    FieldReader fields(*list);
    fields.uint64(withdrawal.index);
    fields.uint64(withdrawal.validator_index);
    fields.fixed(withdrawal.address);
    fields.uint64(withdrawal.amount);
    fields.end();
    if (!fields.ok()) return unexpected(fields.error());
    return withdrawal;
}

void append_withdrawal(Bytes& to, const Withdrawal& withdrawal) {
    const size_t begin = rlp_begin_list(to);
    rlp_append_uint(to, withdrawal.index);
    rlp_append_uint(to, withdrawal.validator_index);
    rlp_append_string(to, withdrawal.address);
    rlp_append_uint(to, withdrawal.amount);
    rlp_end_list(to, begin);
}

}  // namespace keel::core
