// Verifies a webhook by Standard Webhooks, and keeps it on a FIFO queue: what `webhooks` is measured beside.

import { createHmac, timingSafeEqual } from "node:crypto";

import { Logger } from "@aws-lambda-powertools/logger";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";

/** How far, in seconds, a signature may be from now. */
const TOLERANCE = 5 * 60;

const logger = new Logger({ serviceName: "webhooks" });
const sqs = new SQSClient({});
const queueUrl = process.env.DYNAMICS365_QUEUE_URL;
const key = Buffer.from((process.env.WEBHOOK_SECRET ?? "").replace(/^whsec_/, ""), "base64");

export const handler = async (
  event: APIGatewayProxyEventV2,
  context: Context,
): Promise<APIGatewayProxyStructuredResultV2> => {
  logger.addContext(context);
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  const id = verify(event.headers, body);
  if (id === undefined) {
    logger.warn("refused a webhook");
    return { statusCode: 401 };
  }
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: body.toString("utf8"),
      MessageGroupId: event.pathParameters?.endpointId,
      MessageDeduplicationId: id,
    }),
  );
  logger.info("kept a webhook", { webhookId: id });
  return { statusCode: 202 };
};

/** Returns the id of a webhook that is signed, and of now. */
function verify(headers: APIGatewayProxyEventV2["headers"], body: Buffer): string | undefined {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (!id || !timestamp || !signatures || !/^\d{1,12}$/.test(timestamp)) {
    return undefined;
  }
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  let signed = false;
  for (const entry of signatures.split(" ")) {
    const [version, signature] = entry.split(",");
    const given = Buffer.from(signature ?? "", "base64");
    if (version === "v1" && given.length === expected.length && timingSafeEqual(given, expected)) {
      signed = true;
    }
  }
  const near = Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE;
  return signed && near ? id : undefined;
}
