"""The only slack-sdk: messages out by bot token or webhook (`send`), answers in over Socket Mode (`listen`)."""

from jobs.slack.send import BotSender, WebhookSender, sender_from

__all__ = ["BotSender", "WebhookSender", "sender_from"]
