#include "db/testing/model_store.hpp"

#include <algorithm>

namespace keel::db::testing {

ModelTable& ModelTable::operator=(const ModelTable& other) {
    kind_ = other.kind_;
    rows_ = other.rows_;
    arena_ = other.arena_;
    sequence_ = other.sequence_;
    for (ModelCursor* cursor : cursors_) cursor->state_ = ModelCursor::State::Lost;
    return *this;
}

std::strong_ordering ModelTable::compare(const Row& row, ByteView key, ByteView value) const {
    const auto order = ByteView(row.key) <=> key;
    if (order != 0 || kind_ == Kind::Plain) return order;
    return ByteView(row.value) <=> value;
}

size_t ModelTable::not_before(ByteView key, ByteView value) const {
    const auto found = std::ranges::partition_point(
        rows_, [&](const Row* row) { return compare(*row, key, value) < 0; });
    return static_cast<size_t>(found - rows_.begin());
}

size_t ModelTable::behind(ByteView key, ByteView value) const {
    const auto found = std::ranges::partition_point(
        rows_, [&](const Row* row) { return compare(*row, key, value) <= 0; });
    return static_cast<size_t>(found - rows_.begin());
}

ModelTable::Span ModelTable::group(ByteView key) const {
    const auto first = std::ranges::partition_point(
        rows_, [&](const Row* row) { return ByteView(row->key) < key; });
    const auto last = std::partition_point(
        first, rows_.end(), [&](const Row* row) { return ByteView(row->key) == key; });
    return {static_cast<size_t>(first - rows_.begin()), static_cast<size_t>(last - rows_.begin())};
}

void ModelTable::insert(size_t index, ByteView key, ByteView value) {
    arena_->push_back({key.to_bytes(), value.to_bytes()});
    rows_.insert(rows_.begin() + static_cast<ptrdiff_t>(index), &arena_->back());
}

void ModelTable::replace(size_t index, ByteView value) {
    arena_->push_back({rows_[index]->key, value.to_bytes()});
    rows_[index] = &arena_->back();
}

void ModelTable::erase(Span span) {
    for (ModelCursor* cursor : cursors_) {
        if (cursor->state_ != ModelCursor::State::At) continue;
        const size_t index = not_before(cursor->at_.key, cursor->at_.value);
        if (index >= span.first && index < span.last)
            cursor->become(ModelCursor::State::Gap, *rows_[index]);
    }
    rows_.erase(rows_.begin() + static_cast<ptrdiff_t>(span.first),
                rows_.begin() + static_cast<ptrdiff_t>(span.last));
}

std::optional<Bytes> ModelTable::get(ByteView key) const {
    const Span span = group(key);
    if (span.empty()) return std::nullopt;
    return rows_[span.first]->value;
}

void ModelTable::put(ByteView key, ByteView value) {
    ModelCursor(*this).put(key, value);
}

bool ModelTable::put_no_overwrite(ByteView key, ByteView value) {
    return ModelCursor(*this).put_no_overwrite(key, value);
}

void ModelTable::append(ByteView key, ByteView value) {
    ModelCursor(*this).append(key, value);
}

void ModelTable::append_dup(ByteView key, ByteView value) {
    ModelCursor(*this).append_dup(key, value);
}

bool ModelTable::del(ByteView key) {
    return ModelCursor(*this).del(key);
}

bool ModelTable::del(ByteView key, ByteView value) {
    return ModelCursor(*this).delete_exact(key, value);
}

uint64_t ModelTable::del_range(std::optional<ByteView> from, std::optional<ByteView> to) {
    const size_t first = from ? group(*from).first : 0;
    const size_t last = to ? group(*to).first : rows_.size();
    if (first >= last) return 0;
    erase({first, last});
    return last - first;
}

void ModelTable::clear() {
    rows_.clear();
    for (ModelCursor* cursor : cursors_) cursor->state_ = ModelCursor::State::Lost;
}

uint64_t ModelTable::increment(uint64_t by) {
    if (by > UINT64_MAX - sequence_) throw Error(ErrorCode::SequenceOverflow, "model");
    const uint64_t before = sequence_;
    sequence_ += by;
    return before;
}

ModelCursor::ModelCursor(ModelTable& table) : table_(table) {
    table_.cursors_.push_back(this);
}

ModelCursor::~ModelCursor() {
    std::erase(table_.cursors_, this);
}

std::string_view ModelCursor::state_name() const {
    constexpr std::string_view kNames[] = {"Fresh", "At", "Gap", "End", "Lost"};
    return kNames[static_cast<size_t>(state_)];
}

void ModelCursor::become(State state, const Row& row) {
    at_ = row;
    state_ = state;
}

ModelCursor::Hit ModelCursor::go(size_t index) {
    become(State::At, table_.row(index));
    return at_;
}

ModelCursor::Hit ModelCursor::go_if(std::optional<size_t> index) {
    if (!index) return std::nullopt;
    return go(*index);
}

std::optional<size_t> ModelCursor::landing() const {
    const size_t successor = table_.behind(at_.key, at_.value);
    if (table_.kind_ == Kind::DupSort) {
        const ModelTable::Span group = table_.group(at_.key);
        if (!group.empty() && successor == group.last) return std::nullopt;
    }
    if (successor == table_.size()) return std::nullopt;
    return successor;
}

std::optional<size_t> ModelCursor::entry() const {
    if (state_ == State::At) return table_.not_before(at_.key, at_.value);
    if (state_ == State::Gap) return landing();
    return std::nullopt;
}

std::optional<ModelTable::Span> ModelCursor::dup_group() const {
    if (!on_entry_or_gap()) return std::nullopt;
    const ModelTable::Span own = table_.group(at_.key);
    if (!own.empty()) return own;
    const auto land = landing();
    if (!land) return std::nullopt;
    return table_.group(table_.row(*land).key);
}

void ModelCursor::check_sizes(ByteView key, ByteView value) const {
    if (key.size() > kKeyBytesMax) throw Error(ErrorCode::BadKeySize, "model");
    const size_t value_bytes_max =
        table_.kind_ == Kind::DupSort ? kDupValueBytesMax : kPlainValueBytesMax;
    if (value.size() > value_bytes_max) throw Error(ErrorCode::BadValueSize, "model");
}

void ModelCursor::check_dup_sort() const {
    if (table_.kind_ != Kind::DupSort) throw Error(ErrorCode::KindMismatch, "model");
}

ModelCursor::Hit ModelCursor::first() {
    if (table_.size() == 0) return std::nullopt;
    return go(0);
}

ModelCursor::Hit ModelCursor::last() {
    if (table_.size() == 0) return std::nullopt;
    return go(table_.size() - 1);
}

ModelCursor::Hit ModelCursor::next() {
    if (state_ == State::Fresh) return first();
    if (!on_entry_or_gap()) return std::nullopt;
    const size_t index = table_.behind(at_.key, at_.value);
    if (index == table_.size()) return std::nullopt;
    return go(index);
}

ModelCursor::Hit ModelCursor::prev() {
    if (state_ == State::Fresh || state_ == State::End) return last();
    if (!on_entry_or_gap()) return std::nullopt;
    // A Gap's predecessor may be the deleted entry itself when it was put again.
    const size_t index = state_ == State::At ? table_.not_before(at_.key, at_.value)
                                             : table_.behind(at_.key, at_.value);
    if (index == 0) return std::nullopt;
    return go(index - 1);
}

ModelCursor::Hit ModelCursor::next_nodup() {
    if (state_ == State::Fresh) return first();
    if (!on_entry_or_gap()) return std::nullopt;
    const size_t index = table_.group(at_.key).last;
    if (index == table_.size()) return std::nullopt;
    return go(index);
}

ModelCursor::Hit ModelCursor::prev_nodup() {
    if (state_ == State::Fresh || state_ == State::End) return last();
    if (!on_entry_or_gap()) return std::nullopt;
    const size_t index = table_.group(at_.key).first;
    if (index == 0) return std::nullopt;
    return go(index - 1);
}

ModelCursor::Hit ModelCursor::next_dup() {
    if (state_ == State::Fresh) return first();
    if (!on_entry_or_gap()) return std::nullopt;
    const size_t index = table_.behind(at_.key, at_.value);
    if (index == table_.size() || table_.row(index).key != at_.key) return std::nullopt;
    return go(index);
}

ModelCursor::Hit ModelCursor::prev_dup() {
    if (state_ == State::Fresh) return last();
    if (!on_entry_or_gap()) return std::nullopt;
    const size_t index = state_ == State::At ? table_.not_before(at_.key, at_.value)
                                             : table_.behind(at_.key, at_.value);
    if (index == 0 || table_.row(index - 1).key != at_.key) return std::nullopt;
    return go(index - 1);
}

ModelCursor::Hit ModelCursor::first_dup() {
    const auto group = dup_group();
    if (!group) return std::nullopt;
    return go(group->first);
}

ModelCursor::Hit ModelCursor::last_dup() {
    const auto group = dup_group();
    if (!group) return std::nullopt;
    return go(group->last - 1);
}

ModelCursor::Hit ModelCursor::current() {
    return go_if(entry());
}

uint64_t ModelCursor::count_dups() const {
    const auto group = dup_group();
    return group ? group->last - group->first : 0;
}

ModelCursor::Hit ModelCursor::seek(ByteView key) {
    const size_t index = table_.group(key).first;
    if (index < table_.size()) return go(index);
    state_ = State::End;
    return std::nullopt;
}

ModelCursor::Hit ModelCursor::seek_exact(ByteView key) {
    const ModelTable::Span group = table_.group(key);
    if (!group.empty()) return go(group.first);
    state_ = State::Lost;
    return std::nullopt;
}

ModelCursor::Hit ModelCursor::seek_both_exact(ByteView key, ByteView value) {
    check_dup_sort();
    const size_t index = table_.not_before(key, value);
    if (index < table_.size() && table_.compare(table_.row(index), key, value) == 0)
        return go(index);
    state_ = State::Lost;
    return std::nullopt;
}

ModelCursor::Hit ModelCursor::seek_both_range(ByteView key, ByteView value) {
    check_dup_sort();
    const size_t index = table_.not_before(key, value);
    if (index < table_.size() && ByteView(table_.row(index).key) == key) return go(index);
    state_ = State::Lost;
    return std::nullopt;
}

void ModelCursor::put(ByteView key, ByteView value) {
    check_sizes(key, value);
    const size_t index = table_.not_before(key, value);
    const bool there = index < table_.size() && table_.compare(table_.row(index), key, value) == 0;
    if (!there) {
        table_.insert(index, key, value);
    } else if (table_.kind_ == Kind::Plain) {
        table_.replace(index, value);
    }
    go(index);
}

bool ModelCursor::put_no_overwrite(ByteView key, ByteView value) {
    check_sizes(key, value);
    const ModelTable::Span group = table_.group(key);
    if (group.empty()) table_.insert(group.first, key, value);
    go(group.first);
    return group.empty();
}

void ModelCursor::put_no_dup(ByteView key, ByteView value) {
    check_dup_sort();
    check_sizes(key, value);
    const size_t index = table_.not_before(key, value);
    const bool there = index < table_.size() && table_.compare(table_.row(index), key, value) == 0;
    if (!there) table_.insert(index, key, value);
    go(index);
    if (there) throw Error(ErrorCode::KeyExists, "model");
}

void ModelCursor::put_current(ByteView key, ByteView value) {
    check_sizes(key, value);
    const auto index = entry();
    if (!index) throw Error(ErrorCode::NotPositioned, "model");
    if (ByteView(table_.row(*index).key) != key) throw Error(ErrorCode::KeyMismatch, "model");
    if (table_.kind_ == Kind::Plain) {
        table_.replace(*index, value);
        go(*index);
        return;
    }
    if (ByteView(table_.row(*index).value) != value) table_.erase({*index, *index + 1});
    put(key, value);
}

void ModelCursor::append(ByteView key, ByteView value) {
    check_sizes(key, value);
    if (table_.size() == 0) return put(key, value);
    const size_t last_index = table_.size() - 1;
    const auto order = table_.compare(table_.row(last_index), key, value);
    const bool replaces_last = table_.kind_ == Kind::Plain && order == 0;
    if (order < 0 || replaces_last) return put(key, value);
    go(last_index);
    throw Error(ErrorCode::KeyMismatch, "model");
}

void ModelCursor::append_dup(ByteView key, ByteView value) {
    check_dup_sort();
    check_sizes(key, value);
    const ModelTable::Span group = table_.group(key);
    if (group.empty() || ByteView(table_.row(group.last - 1).value) < value) return put(key, value);
    go(group.last - 1);
    throw Error(ErrorCode::KeyMismatch, "model");
}

void ModelCursor::delete_current() {
    const auto index = entry();
    if (!index) throw Error(ErrorCode::NotPositioned, "model");
    const Row victim = table_.row(*index);
    table_.erase({*index, *index + 1});
    become(State::Gap, victim);
}

void ModelCursor::delete_all_dups() {
    const auto group = dup_group();
    if (!group) throw Error(ErrorCode::NotPositioned, "model");
    const Row victim = table_.row(group->last - 1);
    table_.erase(*group);
    become(State::Gap, victim);
}

bool ModelCursor::del(ByteView key) {
    const ModelTable::Span group = table_.group(key);
    if (group.empty()) {
        state_ = State::Lost;
        return false;
    }
    const Row victim = table_.row(group.last - 1);
    table_.erase(group);
    become(State::Gap, victim);
    return true;
}

bool ModelCursor::delete_exact(ByteView key, ByteView value) {
    check_dup_sort();
    const size_t index = table_.not_before(key, value);
    if (index == table_.size() || table_.compare(table_.row(index), key, value) != 0) {
        state_ = State::Lost;
        return false;
    }
    const Row victim = table_.row(index);
    table_.erase({index, index + 1});
    become(State::Gap, victim);
    return true;
}

}  // namespace keel::db::testing
