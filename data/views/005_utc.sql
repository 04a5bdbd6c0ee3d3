-- Not for people: an instant or a day, with or without a time zone, as plain UTC, whatever zone the reader's connection has.
create macro utc(moment) as make_timestamp(epoch_us(coalesce(moment, null::timestamp)));
