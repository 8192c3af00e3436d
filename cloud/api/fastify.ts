import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';

/** The web framework with its plugins, imported here and nowhere else in the cloud. */
export { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
export { cors, rateLimit, swagger };
