"""The outside edge: the clock, the schedule, the commands, the messages. The only room that knows all others."""
