"""Decision -> Slack payload (text and Block Kit), pure. Scraped names only ever stand in plain or rich text elements.

Limits are kept here, also those that slack-sdk does not check: 50 blocks, 8,000 characters in all, no empty text.
"""

from jobs.messages.blocks import Payload, plain
from jobs.messages.finding import alert_message
from jobs.messages.summary import onboarding_message, platform_message

__all__ = ["Payload", "alert_message", "onboarding_message", "plain", "platform_message"]
